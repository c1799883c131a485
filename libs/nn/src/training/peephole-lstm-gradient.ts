import assert from 'node:assert/strict';
import type { CellGradient, CellStep } from './cell-gradient.ts';
import { addToSourceGradient, type RowPlaces, rowPlaces, setRecurrent, sigmoid } from './cell-step.ts';

/** Places of p_i, p_f, p_o, [3][H], and of their gradients. */
export interface PeepholePlaces {
  readonly weights: number;
  readonly gradients: number;
}

/** The LSTM of `../cells/peephole-lstm.ts`: i and f also see p * c_{t-1}, o sees p * c_t. */
export const PEEPHOLE_LSTM: CellGradient = {
  forward(step) {
    const { memory, tape, active } = step;
    const { weights } = peepholeOf(step);
    setRecurrent(step, 0, tape.width);
    for (let b = 0; b < active; b += 1) forwardRow(memory.values, tape.hiddenSize, rowPlaces(step, b), weights);
  },
  backward(step) {
    const { memory, tape, active } = step;
    const peephole = peepholeOf(step);
    for (let b = 0; b < active; b += 1) backwardRow(memory.values, tape.hiddenSize, rowPlaces(step, b), peephole);
    addToSourceGradient(step, 0, tape.width);
  },
  recurrentParts: (hiddenSize) => [{ from: 0, count: 4 * hiddenSize, of: 'source' }],
};

function peepholeOf({ tape }: CellStep): PeepholePlaces {
  assert(tape.peephole !== null, 'An LSTM with peepholes has their weights.');
  return tape.peephole;
}

function forwardRow(v: Float64Array, n: number, row: RowPlaces, p: number): void {
  const { gates, recurrent, hidden, cell, inner } = row;
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const from = recurrent + j;
    const before = v[cell + j];
    const i = sigmoid(v[at] + v[from] + v[p + j] * before);
    const f = sigmoid(v[at + n] + v[from + n] + v[p + n + j] * before);
    const g = Math.tanh(v[at + 2 * n] + v[from + 2 * n]);
    const c = f * before + i * g;
    const o = sigmoid(v[at + 3 * n] + v[from + 3 * n] + v[p + 2 * n + j] * c);
    const squashed = Math.tanh(c);
    v[at] = i;
    v[at + n] = f;
    v[at + 2 * n] = g;
    v[at + 3 * n] = o;
    v[cell + n + j] = c;
    v[inner + j] = squashed;
    v[hidden + n + j] = o * squashed;
  }
}

function backwardRow(v: Float64Array, n: number, row: RowPlaces, { weights: p, gradients: dP }: PeepholePlaces): void {
  const { gates, recurrent, cell, inner, dHidden, dCell } = row;
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const to = recurrent + j;
    const i = v[at];
    const f = v[at + n];
    const g = v[at + 2 * n];
    const o = v[at + 3 * n];
    const squashed = v[inner + j];
    const before = v[cell + j];
    const d = v[dHidden + j];
    const dO = d * squashed * o * (1 - o);
    const dC = v[dCell + j] + d * o * (1 - squashed * squashed) + dO * v[p + 2 * n + j];
    const dI = dC * g * i * (1 - i);
    const dF = dC * before * f * (1 - f);
    const dG = dC * i * (1 - g * g);
    v[at] = v[to] = dI;
    v[at + n] = v[to + n] = dF;
    v[at + 2 * n] = v[to + 2 * n] = dG;
    v[at + 3 * n] = v[to + 3 * n] = dO;
    v[dP + j] += dI * before;
    v[dP + n + j] += dF * before;
    v[dP + 2 * n + j] += dO * v[cell + n + j];
    v[dHidden + j] = 0;
    v[dCell + j] = dC * f + dI * v[p + j] + dF * v[p + n + j];
  }
}
