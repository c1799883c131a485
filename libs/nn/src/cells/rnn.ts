import { affineSum } from './affine.ts';
import type { CellStep } from './cell.ts';

/**
 * Vanilla (Elman) RNN: h_t = tanh(W x_t + b_ih + U h_{t-1} + b_hh).
 * Source: J. L. Elman, "Finding Structure in Time", Cognitive Science 14, 1990; biases as in PyTorch's RNN.
 * Shapes: W [H][I], U [H][H], b_ih and b_hh [H].
 */
export function rnnStep(step: CellStep): void {
  const { weights, inputSize, hiddenSize, x, xAt, state, hAt, scratch } = step;
  const { wIh: w1, wHh: w2, bIh: b1, bHh: b2 } = weights;
  affineSum({ w1, w2, b1, b2, x, xAt, nx: inputSize, h: state, hAt, nh: hiddenSize }, 0, hiddenSize, scratch);
  for (let j = 0; j < hiddenSize; j += 1) state[hAt + j] = Math.tanh(scratch[j]);
}
