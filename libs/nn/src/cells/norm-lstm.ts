import { products, sigmoid } from './affine.ts';
import { type CellStep, tensorOf } from './cell.ts';
import { normalise } from './layer-norm.ts';

/**
 * Layer-normalised LSTM. Gate order i, f, g, o:
 *   (i, f, g, o) = LN(W x; normIh) + b_ih + LN(U h; normHh) + b_hh, each LN over all 4H sums,
 *   c_t = s(f) * c_{t-1} + s(i) * tanh(g), h_t = s(o) * tanh(LN(c_t; normC) + normCShift).
 * The paper's shifts beta and its b are one sum: they are b_ih and b_hh here.
 * Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, equations 20-22.
 * Shapes: W [4H][I], U [4H][H], b_ih, b_hh, normIh and normHh [4H], normC and normCShift [H]. The scratch holds W x at 0 and U h at 4H.
 */
export function normLstmStep(step: CellStep): void {
  const { weights, inputSize, hiddenSize: n, x, xAt, state, hAt, cAt, scratch } = step;
  const all = { from: 0, to: 4 * n };
  const toH = 4 * n;
  products(weights.wIh, all, x, xAt, inputSize, scratch, 0);
  products(weights.wHh, all, state, hAt, n, scratch, toH);
  normalise(scratch, 0, 4 * n, tensorOf(weights, 'normIh'), 0);
  normalise(scratch, toH, 4 * n, tensorOf(weights, 'normHh'), 0);
  for (let r = 0; r < 4 * n; r += 1) scratch[r] += weights.bIh[r] + scratch[toH + r] + weights.bHh[r];
  for (let j = 0; j < n; j += 1) {
    const c = sigmoid(scratch[n + j]) * state[cAt + j] + sigmoid(scratch[j]) * Math.tanh(scratch[2 * n + j]);
    scratch[toH + j] = c;
    state[cAt + j] = c;
  }
  normalise(scratch, toH, n, tensorOf(weights, 'normC'), 0);
  const shift = tensorOf(weights, 'normCShift');
  for (let j = 0; j < n; j += 1) state[hAt + j] = sigmoid(scratch[3 * n + j]) * Math.tanh(scratch[toH + j] + shift[j]);
}
