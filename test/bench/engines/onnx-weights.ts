/** Weights in the orders that ONNX's forms want. Gates of a PyTorch matrix [G*H][columns] are blocks of H rows. */
import { GATES, type LayerWeights, type ModelSpec } from '@tideline/nn';
import type { OnnxTensor } from './onnx-proto.ts';

/** ONNX's LSTM has i, o, f, c and its GRU z, r, h; PyTorch's are i, f, g, o and r, z, n. */
const OPERATOR_ORDER = { rnn: [0], lstm: [0, 3, 1, 2], gru: [1, 0, 2] } as const;
/** i, f, o, g: the three sigmoids lie side by side. */
export const CELL_ORDER = { rnn: [0], lstm: [0, 1, 3, 2], gru: [0, 1, 2] } as const;

export function inputSizeOf(spec: ModelSpec, layer: number): number {
  return layer === 0 ? spec.inputSize : spec.hiddenSize;
}

/** W, R and B of the LSTM or GRU operator. */
export function operatorTensors(spec: ModelSpec, weights: LayerWeights, layer: number): OnnxTensor[] {
  const { hiddenSize: H } = spec;
  const order = OPERATOR_ORDER[spec.cell];
  const rows = GATES[spec.cell] * H;
  const I = inputSizeOf(spec, layer);
  const bias = new Float32Array(2 * rows);
  bias.set(reordered(weights.bIh, H, order));
  bias.set(reordered(weights.bHh, H, order), rows);
  return [
    { name: `W${layer}`, shape: [1, rows, I], values: reordered(weights.wIh, H * I, order) },
    { name: `R${layer}`, shape: [1, rows, H], values: reordered(weights.wHh, H * H, order) },
    { name: `B${layer}`, shape: [1, 2 * rows], values: bias },
  ];
}

/** W [I][G*H] and R [H][G*H], transposed for a plain product, in CELL_ORDER. */
export function cellMatrices(spec: ModelSpec, weights: LayerWeights, layer: number): [Float32Array, Float32Array] {
  const { hiddenSize: H } = spec;
  const order = CELL_ORDER[spec.cell];
  const rows = GATES[spec.cell] * H;
  const I = inputSizeOf(spec, layer);
  return [
    transposed(reordered(weights.wIh, H * I, order), rows, I),
    transposed(reordered(weights.wHh, H * H, order), rows, H),
  ];
}

/** Blocks of `block` values in another order. */
export function reordered(values: Float32Array, block: number, order: readonly number[]): Float32Array {
  const out = new Float32Array(values.length);
  order.forEach((from, to) => {
    out.set(values.subarray(from * block, (from + 1) * block), to * block);
  });
  return out;
}

export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) out[column * rows + row] = values[row * columns + column];
  return out;
}

export function sumOf(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + b[i]);
}

export function joined(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
