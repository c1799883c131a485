import type { CellGradient } from './cell-gradient.ts';
import { addToSourceGradient, type RowPlaces, rowPlaces, setRecurrent, sigmoid } from './cell-step.ts';

/** i, f, o = s(...), g = tanh(...); c = f * c + i * g; h = o * tanh(c). Gate order i, f, g, o. */
export const LSTM: CellGradient = {
  forward(step) {
    const { memory, tape, active } = step;
    setRecurrent(step, 0, tape.width);
    for (let b = 0; b < active; b += 1) forwardRow(memory.values, tape.hiddenSize, rowPlaces(step, b));
  },
  backward(step) {
    const { memory, tape, active } = step;
    for (let b = 0; b < active; b += 1) backwardRow(memory.values, tape.hiddenSize, rowPlaces(step, b));
    addToSourceGradient(step, 0, tape.width);
  },
  recurrentParts: (hiddenSize) => [{ from: 0, count: 4 * hiddenSize, of: 'source' }],
};

function forwardRow(v: Float64Array, n: number, row: RowPlaces): void {
  const { gates, recurrent, hidden, cell, inner } = row;
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const from = recurrent + j;
    const i = sigmoid(v[at] + v[from]);
    const f = sigmoid(v[at + n] + v[from + n]);
    const g = Math.tanh(v[at + 2 * n] + v[from + 2 * n]);
    const o = sigmoid(v[at + 3 * n] + v[from + 3 * n]);
    const c = f * v[cell + j] + i * g;
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

function backwardRow(v: Float64Array, n: number, row: RowPlaces): void {
  const { gates, recurrent, cell, inner, dHidden, dCell } = row;
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const to = recurrent + j;
    const i = v[at];
    const f = v[at + n];
    const g = v[at + 2 * n];
    const o = v[at + 3 * n];
    const squashed = v[inner + j];
    const d = v[dHidden + j];
    const dC = v[dCell + j] + d * o * (1 - squashed * squashed);
    const dI = dC * g * i * (1 - i);
    const dF = dC * v[cell + j] * f * (1 - f);
    const dG = dC * i * (1 - g * g);
    const dO = d * squashed * o * (1 - o);
    v[at] = dI;
    v[at + n] = dF;
    v[at + 2 * n] = dG;
    v[at + 3 * n] = dO;
    v[to] = dI;
    v[to + n] = dF;
    v[to + 2 * n] = dG;
    v[to + 3 * n] = dO;
    v[dHidden + j] = 0;
    v[dCell + j] = dC * f;
  }
}
