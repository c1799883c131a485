/**
 * A model as ONNX graphs. Inputs: x, then h and c of every layer (h0, c0, h1, ...); outputs: y, then the new ones (hn0, cn0, ...).
 *
 * `operator`: ONNX's own LSTM or GRU, one step long. x [1][B][I], states [1][B][H].
 * `gemm`, `gemms`: the step spelled in plain operators, with one product a layer over [x, h], or with two. x [B][I], states [B][H].
 * `packed`: the same with all states in one tensor s [B][states], sn.
 * `sequence`: the operator over T steps of one series. x [T][1][I], states [1][1][H], y [T][O].
 * `window`: the same from a zero state, y [1][O] of the last step; no states.
 */
import type { Model } from '@tideline/nn';
import type { Form } from './cases.ts';
import { cellGraph, headOf, packedGraph } from './onnx-cells.ts';
import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor, type OnnxValue } from './onnx-proto.ts';
import { operatorTensors } from './onnx-weights.ts';

export const GRAPHS_OF: Readonly<Record<Form, readonly string[]>> = {
  step: ['operator', 'gemm', 'gemms', 'packed'],
  run: ['sequence'],
  window: ['window'],
};

/** The bytes of the model's graph of a name in GRAPHS_OF; null where the cell has no such form. */
export function onnxFile(model: Model, name: string): Buffer | null {
  if (name === 'gemm' && model.spec.cell === 'gru') return null;
  if (name === 'gemm' || name === 'gemms') return encodeOnnx(cellGraph(model, name));
  return encodeOnnx(name === 'packed' ? packedGraph(model) : operatorGraph(model, name));
}

function operatorGraph(model: Model, name: string): OnnxGraph {
  const { spec, weights } = model;
  const hasStates = name !== 'window';
  const isLstm = spec.cell === 'lstm';
  const nodes: OnnxNode[] = [];
  const inputs: OnnxValue[] = [{ name: 'x', shape: ['T', 'B', spec.inputSize] }];
  const outputs: OnnxValue[] = [{ name: 'y', shape: ['N', spec.outputSize] }];
  const axes: OnnxTensor[] = [];
  let last = 'x';
  weights.layers.forEach((_, l) => {
    const states = hasStates ? [`h${l}`, ...(isLstm ? [`c${l}`] : [])] : [];
    const next = [`hn${l}`, ...(isLstm ? [`cn${l}`] : [])];
    for (const [i, state] of states.entries()) {
      inputs.push({ name: state, shape: [1, 'B', spec.hiddenSize] });
      outputs.push({ name: next[i], shape: [1, 'B', spec.hiddenSize] });
    }
    // Of one step, and of a window's last layer, the last h is all.
    const isLast = l === spec.layers - 1;
    const needsAll = name === 'sequence' || (name === 'window' && !isLast);
    nodes.push({
      op: isLstm ? 'LSTM' : 'GRU',
      inputs: [last, `W${l}`, `R${l}`, `B${l}`, ...(hasStates ? ['', ...states] : [])],
      outputs: [needsAll ? `all${l}` : '', ...next],
      attributes: { hidden_size: spec.hiddenSize, ...(isLstm ? {} : { linear_before_reset: 1 }) },
    });
    last = `hn${l}`;
    if (!needsAll) return;
    nodes.push({ op: 'Squeeze', inputs: [`all${l}`, 'one'], outputs: [`s${l}`] });
    last = `s${l}`;
  });
  if (nodes.some(({ op }) => op === 'Squeeze')) axes.push({ name: 'one', shape: [1], values: BigInt64Array.of(1n) });
  const flatAxis = name === 'sequence' ? 1n : 0n;
  axes.push({ name: 'flatAxis', shape: [1], values: BigInt64Array.of(flatAxis) });
  nodes.push({ op: 'Squeeze', inputs: [last, 'flatAxis'], outputs: ['flat'] });
  const head = headOf(model, 'flat');
  const tensors = weights.layers.flatMap((layer, l) => operatorTensors(spec, layer, l));
  return { nodes: [...nodes, ...head.nodes], tensors: [...tensors, ...axes, ...head.tensors], inputs, outputs };
}
