import type { GruReset } from '../model.ts';
import { products, sigmoid } from './affine.ts';
import { type CellStep, tensorOf } from './cell.ts';
import { normalise } from './layer-norm.ts';

/**
 * Layer-normalised GRU. Gate order r, z, n; normIh and normHh are gains of W x and U h, the shifts are b_ih and b_hh:
 *   (r, z) = s(LN(W_rz x) + b_irz + LN(U_rz h) + b_hrz), each LN over 2H sums, h_t = (1 - z) * n + z * h_{t-1}, and the candidate, LN over H sums,
 *   reset after:  n = tanh(LN(W_n x) + b_in + r * (LN(U_n h) + b_hn)) (the paper's);
 *   reset before: n = tanh(LN(W_n x) + b_in + LN(U_n (r * h)) + b_hn).
 * Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, supplement, GRU equations. (Its z is 1 - z here, as in `gru.ts`.)
 * Shapes: W [3H][I], U [3H][H], b_ih, b_hh, normIh and normHh [3H]. The scratch holds W x at 0, r * h at 3H and U h at 4H.
 */
export function normGruStep(step: CellStep, reset: GruReset): void {
  const { weights, inputSize, hiddenSize: n, x, xAt, state, hAt, scratch } = step;
  const normIh = tensorOf(weights, 'normIh');
  const normHh = tensorOf(weights, 'normHh');
  const toH = 4 * n;
  const gates = { from: 0, to: 2 * n };
  products(weights.wIh, { from: 0, to: 3 * n }, x, xAt, inputSize, scratch, 0);
  normalise(scratch, 0, 2 * n, normIh, 0);
  normalise(scratch, 2 * n, n, normIh, 2 * n);
  products(weights.wHh, gates, state, hAt, n, scratch, toH);
  normalise(scratch, toH, 2 * n, normHh, 0);
  for (let r = 0; r < 2 * n; r += 1)
    scratch[r] = sigmoid(scratch[r] + weights.bIh[r] + scratch[toH + r] + weights.bHh[r]);
  const candidates = { from: 2 * n, to: 3 * n };
  if (reset === 'after') products(weights.wHh, candidates, state, hAt, n, scratch, toH + 2 * n);
  else {
    for (let k = 0; k < n; k += 1) scratch[3 * n + k] = scratch[k] * state[hAt + k];
    products(weights.wHh, candidates, scratch, 3 * n, n, scratch, toH + 2 * n);
  }
  normalise(scratch, toH + 2 * n, n, normHh, 2 * n);
  for (let j = 0; j < n; j += 1) {
    const row = 2 * n + j;
    const recurrent = scratch[toH + row] + weights.bHh[row];
    const candidate = Math.tanh(
      scratch[row] + weights.bIh[row] + (reset === 'after' ? scratch[j] * recurrent : recurrent),
    );
    const z = scratch[n + j];
    state[hAt + j] = (1 - z) * candidate + z * state[hAt + j];
  }
}
