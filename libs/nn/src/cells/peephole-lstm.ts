import { affineSum, sigmoid } from './affine.ts';
import { type CellStep, tensorOf } from './cell.ts';

/**
 * LSTM whose gates see the cell's state through diagonal weights p, the peepholes. Gate order i, f, g, o:
 *   i = s(W_i x + b_i + U_i h + p_i * c_{t-1}), f = s(W_f x + b_f + U_f h + p_f * c_{t-1}), g = tanh(W_g x + b_g + U_g h),
 *   c_t = f * c_{t-1} + i * g, o = s(W_o x + b_o + U_o h + p_o * c_t), h_t = o * tanh(c_t); each b is b_ih + b_hh, * goes unit by unit.
 * c_t is rounded to float32 where it is kept, not before p_o reads it.
 * Source: F. Gers, J. Schmidhuber, "Recurrent Nets that Time and Count", 2000. ONNX's input P has the same three in the order i, o, f.
 * Shapes: W [4H][I], U [4H][H], b_ih and b_hh [4H], peephole [3H] in the order i, f, o.
 */
export function peepholeLstmStep(step: CellStep): void {
  const { weights, inputSize, hiddenSize: n, x, xAt, state, hAt, cAt, scratch } = step;
  const { wIh: w1, wHh: w2, bIh: b1, bHh: b2 } = weights;
  const p = tensorOf(weights, 'peephole');
  affineSum({ w1, w2, b1, b2, x, xAt, nx: inputSize, h: state, hAt, nh: n }, 0, 4 * n, scratch);
  for (let j = 0; j < n; j += 1) {
    const before = state[cAt + j];
    const i = sigmoid(scratch[j] + p[j] * before);
    const f = sigmoid(scratch[n + j] + p[n + j] * before);
    const g = Math.tanh(scratch[2 * n + j]);
    const c = f * before + i * g;
    const o = sigmoid(scratch[3 * n + j] + p[2 * n + j] * c);
    state[cAt + j] = c;
    state[hAt + j] = o * Math.tanh(c);
  }
}
