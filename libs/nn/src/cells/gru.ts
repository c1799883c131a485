import type { GruReset } from '../model.ts';
import { affineSum, dot, sigmoid } from './affine.ts';
import type { CellStep } from './cell.ts';

/**
 * GRU. Gate order r, z, n (PyTorch's):
 *   r = s(W_r x + b_ir + U_r h + b_hr), z = s(W_z x + b_iz + U_z h + b_hz), h_t = (1 - z) * n + z * h_{t-1}, and the candidate
 *   reset after:  n = tanh(W_n x + b_in + r * (U_n h + b_hn)) (PyTorch, cuDNN);
 *   reset before: n = tanh(W_n x + b_in + U_n (r * h) + b_hn) (the paper's).
 * Source: K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation", 2014. (The paper's z
 * is 1 - z here, as in PyTorch.)
 * Shapes: W [3H][I], U [3H][H], b_ih and b_hh [3H].
 */
export function gruStep(step: CellStep, reset: GruReset): void {
  const { weights, inputSize, hiddenSize: n, x, xAt, state, hAt, scratch } = step;
  const { wIh: w1, wHh: w2, bIh: b1, bHh: b2 } = weights;
  affineSum({ w1, w2, b1, b2, x, xAt, nx: inputSize, h: state, hAt, nh: n }, 0, 2 * n, scratch);
  const candidate = reset === 'after' ? candidateAfter : candidateBefore;
  candidate(step);
  for (let j = 0; j < n; j += 1) {
    const z = sigmoid(scratch[n + j]);
    state[hAt + j] = (1 - z) * Math.tanh(scratch[2 * n + j]) + z * state[hAt + j];
  }
}

function candidateAfter(step: CellStep): void {
  const { weights, inputSize, hiddenSize: n, x, xAt, state, hAt, scratch } = step;
  for (let j = 0; j < n; j += 1) {
    const row = 2 * n + j;
    const recurrent = dot(weights.wHh, row * n, state, hAt, n) + weights.bHh[row];
    scratch[row] =
      dot(weights.wIh, row * inputSize, x, xAt, inputSize) + weights.bIh[row] + sigmoid(scratch[j]) * recurrent;
  }
}

function candidateBefore(step: CellStep): void {
  const { weights, inputSize, hiddenSize: n, x, xAt, state, hAt, scratch } = step;
  // r * h stands in the fourth block of the scratch, which the GRU's three gates leave free.
  for (let k = 0; k < n; k += 1) scratch[3 * n + k] = sigmoid(scratch[k]) * state[hAt + k];
  for (let j = 0; j < n; j += 1) {
    const row = 2 * n + j;
    let recurrent = 0;
    for (let k = 0; k < n; k += 1) recurrent += weights.wHh[row * n + k] * scratch[3 * n + k];
    recurrent += weights.bHh[row];
    scratch[row] = dot(weights.wIh, row * inputSize, x, xAt, inputSize) + weights.bIh[row] + recurrent;
  }
}
