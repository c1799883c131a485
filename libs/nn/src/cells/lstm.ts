import { affineSum, sigmoid } from './affine.ts';
import type { CellStep } from './cell.ts';

/**
 * LSTM with forget gate, without peepholes. Gate order i, f, g, o (PyTorch's):
 *   i = s(W_i x + b_i + U_i h), f = s(W_f x + b_f + U_f h), g = tanh(W_g x + b_g + U_g h), o = s(W_o x + b_o + U_o h),
 *   c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t); each b is b_ih + b_hh.
 * Source: S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997; forget gate: F. Gers, J. Schmidhuber,
 * F. Cummins, "Learning to Forget", 2000.
 * Shapes: W [4H][I], U [4H][H], b_ih and b_hh [4H].
 */
export function lstmStep(step: CellStep): void {
  const { weights, inputSize, hiddenSize, x, xAt, state, hAt, cAt, scratch } = step;
  const { wIh: w1, wHh: w2, bIh: b1, bHh: b2 } = weights;
  affineSum({ w1, w2, b1, b2, x, xAt, nx: inputSize, h: state, hAt, nh: hiddenSize }, 0, 4 * hiddenSize, scratch);
  for (let j = 0; j < hiddenSize; j += 1) {
    const i = sigmoid(scratch[j]);
    const f = sigmoid(scratch[hiddenSize + j]);
    const g = Math.tanh(scratch[2 * hiddenSize + j]);
    const o = sigmoid(scratch[3 * hiddenSize + j]);
    const c = f * state[cAt + j] + i * g;
    state[cAt + j] = c;
    state[hAt + j] = o * Math.tanh(c);
  }
}
