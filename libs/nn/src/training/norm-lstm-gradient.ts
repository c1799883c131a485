import assert from 'node:assert/strict';
import type { CellGradient, CellStep } from './cell-gradient.ts';
import { addToSourceGradient, type RowPlaces, rowPlaces, setRecurrent, sigmoid } from './cell-step.ts';
import { type Norm, normaliseRow, normGradientRow } from './norm.ts';

/** The LSTM of `../cells/norm-lstm.ts`: h = o * tanh(LN(c)); W x and U h come normalised. */
export const NORM_LSTM: CellGradient = {
  forward(step) {
    const { memory, tape, active, t } = step;
    const { hiddenSize: n, windowRows } = tape;
    const norm = normOf(step);
    setRecurrent(step, 0, tape.width);
    for (let b = 0; b < active; b += 1) {
      const row = rowPlaces(step, b);
      forwardState(memory.values, n, row);
      normaliseRow(memory.values, norm, { row: b * windowRows + t, at: row.inner, from: 0, count: n });
      forwardOutput(memory.values, n, row);
    }
  },
  backward(step) {
    const { memory, tape, active, t } = step;
    const { hiddenSize: n, windowRows } = tape;
    const norm = normOf(step);
    for (let b = 0; b < active; b += 1) {
      const row = rowPlaces(step, b);
      backwardOutput(memory.values, n, row);
      normGradientRow(memory.values, norm, { row: b * windowRows + t, at: row.inner, from: 0, count: n });
      backwardState(memory.values, n, row);
    }
    addToSourceGradient(step, 0, tape.width);
  },
  recurrentParts: (hiddenSize) => [{ from: 0, count: 4 * hiddenSize, of: 'source' }],
};

function normOf({ tape }: CellStep): Norm {
  assert(tape.normC !== null, 'A layer-normalised LSTM has a norm of its c.');
  return tape.normC;
}

/** Gates, c, and c once more in `inner`. */
function forwardState(v: Float64Array, n: number, { gates, recurrent, cell, inner }: RowPlaces): void {
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const from = recurrent + j;
    const i = sigmoid(v[at] + v[from]);
    const f = sigmoid(v[at + n] + v[from + n]);
    const g = Math.tanh(v[at + 2 * n] + v[from + 2 * n]);
    const c = f * v[cell + j] + i * g;
    v[at] = i;
    v[at + n] = f;
    v[at + 2 * n] = g;
    v[at + 3 * n] = sigmoid(v[at + 3 * n] + v[from + 3 * n]);
    v[cell + n + j] = c;
    v[inner + j] = c;
  }
}

function forwardOutput(v: Float64Array, n: number, { gates, hidden, inner }: RowPlaces): void {
  for (let j = 0; j < n; j += 1) {
    const squashed = Math.tanh(v[inner + j]);
    v[inner + j] = squashed;
    v[hidden + n + j] = v[gates + 3 * n + j] * squashed;
  }
}

/** Gradients of the output gate and, in `inner`, of LN(c). */
function backwardOutput(v: Float64Array, n: number, { gates, recurrent, inner, dHidden }: RowPlaces): void {
  for (let j = 0; j < n; j += 1) {
    const o = v[gates + 3 * n + j];
    const squashed = v[inner + j];
    const d = v[dHidden + j];
    const dO = d * squashed * o * (1 - o);
    v[gates + 3 * n + j] = dO;
    v[recurrent + 3 * n + j] = dO;
    v[inner + j] = d * o * (1 - squashed * squashed);
    v[dHidden + j] = 0;
  }
}

function backwardState(v: Float64Array, n: number, { gates, recurrent, cell, inner, dCell }: RowPlaces): void {
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const to = recurrent + j;
    const i = v[at];
    const f = v[at + n];
    const g = v[at + 2 * n];
    const dC = v[dCell + j] + v[inner + j];
    const dI = dC * g * i * (1 - i);
    const dF = dC * v[cell + j] * f * (1 - f);
    const dG = dC * i * (1 - g * g);
    v[at] = dI;
    v[at + n] = dF;
    v[at + 2 * n] = dG;
    v[to] = dI;
    v[to + n] = dF;
    v[to + 2 * n] = dG;
    v[dCell + j] = dC * f;
  }
}
