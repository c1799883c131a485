/** One step spelled in plain ONNX operators, as an exporter of a hand-written cell would. */
import { GATES, type Model } from '@tideline/nn';
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from './onnx-proto.ts';
import { CELL_ORDER, cellMatrices, inputSizeOf, joined, reordered, sumOf, transposed } from './onnx-weights.ts';

interface Parts {
  readonly nodes: OnnxNode[];
  readonly tensors: OnnxTensor[];
}

/**
 * The spelled step with all states in one tensor: s [B][h0 h1 .. c0 c1 ..] in, sn out. The fewer tensors a call moves, the less onnxruntime-node's own
 * way from JavaScript costs: it is the fastest form at batch 1.
 */
export function packedGraph(model: Model): OnnxGraph {
  const { spec } = model;
  const graph = cellGraph(model, spec.cell === 'gru' ? 'gemms' : 'gemm');
  const [x, ...before] = graph.inputs;
  const [y, ...after] = graph.outputs;
  const width = before.length * spec.hiddenSize;
  const sizes = BigInt64Array.from({ length: before.length }, () => BigInt(spec.hiddenSize));
  const apart = { inputs: ['s', 'sizes'], outputs: before.map(({ name }) => name) };
  const together = { inputs: after.map(({ name }) => name), outputs: ['sn'] };
  return {
    nodes: [
      { op: 'Split', ...apart, attributes: { axis: 1 } },
      ...graph.nodes,
      { op: 'Concat', ...together, attributes: { axis: 1 } },
    ],
    tensors: [...graph.tensors, { name: 'sizes', shape: [before.length], values: sizes }],
    inputs: [x, { name: 's', shape: ['B', width] }],
    outputs: [y, { name: 'sn', shape: ['B', width] }],
  };
}

/** `gemm`: one product over [x, h] a layer; `gemms`: one over x and one over h. */
export function cellGraph(model: Model, form: 'gemm' | 'gemms'): OnnxGraph {
  const { spec } = model;
  const parts: Parts = { nodes: [], tensors: [] };
  const inputs: OnnxValue[] = [{ name: 'x', shape: ['B', spec.inputSize] }];
  const outputs: OnnxValue[] = [{ name: 'y', shape: ['B', spec.outputSize] }];
  let last = 'x';
  for (let l = 0; l < spec.layers; l += 1) {
    for (const state of spec.cell === 'lstm' ? ['h', 'c'] : ['h']) {
      inputs.push({ name: `${state}${l}`, shape: ['B', spec.hiddenSize] });
      outputs.push({ name: `${state}n${l}`, shape: ['B', spec.hiddenSize] });
    }
    if (spec.cell === 'gru') addGru(parts, model, l, last);
    else addLstm(parts, model, { form, layer: l, x: last });
    last = `hn${l}`;
  }
  const head = headOf(model, last);
  return { nodes: [...parts.nodes, ...head.nodes], tensors: [...parts.tensors, ...head.tensors], inputs, outputs };
}

/** y = last * headW' + headB. */
export function headOf({ spec, weights }: Model, last: string): { nodes: OnnxNode[]; tensors: OnnxTensor[] } {
  const { hiddenSize, outputSize } = spec;
  return {
    nodes: [{ op: 'Gemm', inputs: [last, 'headW', 'headB'], outputs: ['y'] }],
    tensors: [
      {
        name: 'headW',
        shape: [hiddenSize, outputSize],
        values: transposed(weights.headW, outputSize, hiddenSize),
      },
      { name: 'headB', shape: [outputSize], values: weights.headB },
    ],
  };
}

function addLstm(
  { nodes, tensors }: Parts,
  { spec, weights }: Model,
  { form, layer: l, x }: { readonly form: 'gemm' | 'gemms'; readonly layer: number; readonly x: string },
): void {
  const { hiddenSize: H } = spec;
  const columns = GATES.lstm * H;
  const I = inputSizeOf(spec, l);
  const [w, r] = cellMatrices(spec, weights.layers[l], l);
  const { bIh, bHh } = weights.layers[l];
  tensors.push(
    { name: `b${l}`, shape: [columns], values: reordered(sumOf(bIh, bHh), H, CELL_ORDER.lstm) },
    { name: `sizes${l}`, shape: [2], values: BigInt64Array.of(BigInt(3 * H), BigInt(H)) },
  );
  if (form === 'gemm') {
    tensors.push({ name: `wr${l}`, shape: [I + H, columns], values: joined(w, r) });
    nodes.push(
      { op: 'Concat', inputs: [x, `h${l}`], outputs: [`xh${l}`], attributes: { axis: 1 } },
      { op: 'Gemm', inputs: [`xh${l}`, `wr${l}`, `b${l}`], outputs: [`g${l}`] },
    );
  } else {
    tensors.push({ name: `w${l}`, shape: [I, columns], values: w }, { name: `r${l}`, shape: [H, columns], values: r });
    nodes.push(
      { op: 'Gemm', inputs: [x, `w${l}`, `b${l}`], outputs: [`gx${l}`] },
      { op: 'Gemm', inputs: [`h${l}`, `r${l}`, `gx${l}`], outputs: [`g${l}`] },
    );
  }
  nodes.push(
    { op: 'Split', inputs: [`g${l}`, `sizes${l}`], outputs: [`ifo${l}`, `gt${l}`], attributes: { axis: 1 } },
    { op: 'Sigmoid', inputs: [`ifo${l}`], outputs: [`sifo${l}`] },
    { op: 'Tanh', inputs: [`gt${l}`], outputs: [`tg${l}`] },
    { op: 'Split', inputs: [`sifo${l}`], outputs: [`si${l}`, `sf${l}`, `so${l}`], attributes: { axis: 1 } },
    { op: 'Mul', inputs: [`sf${l}`, `c${l}`], outputs: [`fc${l}`] },
    { op: 'Mul', inputs: [`si${l}`, `tg${l}`], outputs: [`ig${l}`] },
    { op: 'Add', inputs: [`fc${l}`, `ig${l}`], outputs: [`cn${l}`] },
    { op: 'Tanh', inputs: [`cn${l}`], outputs: [`tc${l}`] },
    { op: 'Mul', inputs: [`so${l}`, `tc${l}`], outputs: [`hn${l}`] },
  );
}

/** Reset after the product: both products whole, then h' = n + z (h - n). */
function addGru({ nodes, tensors }: Parts, { spec, weights }: Model, l: number, x: string): void {
  const { hiddenSize: H } = spec;
  const columns = GATES.gru * H;
  const [w, r] = cellMatrices(spec, weights.layers[l], l);
  tensors.push(
    { name: `w${l}`, shape: [inputSizeOf(spec, l), columns], values: w },
    { name: `r${l}`, shape: [H, columns], values: r },
    { name: `bw${l}`, shape: [columns], values: weights.layers[l].bIh },
    { name: `br${l}`, shape: [columns], values: weights.layers[l].bHh },
    { name: `sizes${l}`, shape: [2], values: BigInt64Array.of(BigInt(2 * H), BigInt(H)) },
  );
  nodes.push(
    { op: 'Gemm', inputs: [x, `w${l}`, `bw${l}`], outputs: [`gx${l}`] },
    { op: 'Gemm', inputs: [`h${l}`, `r${l}`, `br${l}`], outputs: [`gh${l}`] },
    { op: 'Split', inputs: [`gx${l}`, `sizes${l}`], outputs: [`xrz${l}`, `xn${l}`], attributes: { axis: 1 } },
    { op: 'Split', inputs: [`gh${l}`, `sizes${l}`], outputs: [`hrz${l}`, `hw${l}`], attributes: { axis: 1 } },
    { op: 'Add', inputs: [`xrz${l}`, `hrz${l}`], outputs: [`rz${l}`] },
    { op: 'Sigmoid', inputs: [`rz${l}`], outputs: [`srz${l}`] },
    { op: 'Split', inputs: [`srz${l}`], outputs: [`sr${l}`, `sz${l}`], attributes: { axis: 1 } },
    { op: 'Mul', inputs: [`sr${l}`, `hw${l}`], outputs: [`rh${l}`] },
    { op: 'Add', inputs: [`xn${l}`, `rh${l}`], outputs: [`nt${l}`] },
    { op: 'Tanh', inputs: [`nt${l}`], outputs: [`n${l}`] },
    { op: 'Sub', inputs: [`h${l}`, `n${l}`], outputs: [`d${l}`] },
    { op: 'Mul', inputs: [`sz${l}`, `d${l}`], outputs: [`zd${l}`] },
    { op: 'Add', inputs: [`n${l}`, `zd${l}`], outputs: [`hn${l}`] },
  );
}
