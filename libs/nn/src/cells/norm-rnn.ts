import { products } from './affine.ts';
import { type CellStep, tensorOf } from './cell.ts';
import { normalise } from './layer-norm.ts';

/**
 * Layer-normalised vanilla RNN: h_t = tanh(LN(W x_t + U h_{t-1}; normSum) + b_ih + b_hh), LN over the H sums.
 * Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, section 3.1, equation 4.
 * Shapes: W [H][I], U [H][H], b_ih, b_hh and normSum [H]. The scratch holds W x at 0 and U h at 4H.
 */
export function normRnnStep(step: CellStep): void {
  const { weights, inputSize, hiddenSize: n, x, xAt, state, hAt, scratch } = step;
  const all = { from: 0, to: n };
  const toH = 4 * n;
  products(weights.wIh, all, x, xAt, inputSize, scratch, 0);
  products(weights.wHh, all, state, hAt, n, scratch, toH);
  for (let j = 0; j < n; j += 1) scratch[j] += scratch[toH + j];
  normalise(scratch, 0, n, tensorOf(weights, 'normSum'), 0);
  for (let j = 0; j < n; j += 1) state[hAt + j] = Math.tanh(scratch[j] + weights.bIh[j] + weights.bHh[j]);
}
