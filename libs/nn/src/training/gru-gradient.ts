import type { CellGradient } from './cell-gradient.ts';
import { addToSourceGradient, type RowPlaces, rowPlaces, setRecurrent, sigmoid } from './cell-step.ts';

/** Reset after the product: m = tanh(W_n x + b_in + r * (U_n h + b_hn)), h = (1 - z) * m + z * h. Gate order r, z, n. */
export const GRU_AFTER: CellGradient = {
  forward(step) {
    const { memory, tape, active } = step;
    setRecurrent(step, 0, tape.width);
    for (let b = 0; b < active; b += 1) forwardAfter(memory.values, tape.hiddenSize, rowPlaces(step, b));
  },
  backward(step) {
    const { memory, tape, active } = step;
    for (let b = 0; b < active; b += 1) backwardAfter(memory.values, tape.hiddenSize, rowPlaces(step, b));
    addToSourceGradient(step, 0, tape.width);
  },
  recurrentParts: (hiddenSize) => [{ from: 0, count: 3 * hiddenSize, of: 'source' }],
};

/** Reset before the product: m = tanh(W_n x + b_in + U_n (r * h) + b_hn). `inner` keeps r * h. */
export const GRU_BEFORE: CellGradient = {
  forward(step) {
    const { memory, tape, active } = step;
    const { hiddenSize: n, inner, windowRows } = tape;
    setRecurrent(step, 0, 2 * n);
    for (let b = 0; b < active; b += 1) resetRow(memory.values, n, rowPlaces(step, b));
    setRecurrent({ ...step, tape: { ...tape, source: inner, sourceStep: windowRows * n } }, 2 * n, n);
    for (let b = 0; b < active; b += 1) candidateRow(memory.values, n, rowPlaces(step, b));
  },
  backward(step) {
    const { memory, tape, active } = step;
    const { hiddenSize: n } = tape;
    for (let b = 0; b < active; b += 1) backwardCandidate(memory.values, n, rowPlaces(step, b));
    // The gradient of r * h stands in dCell, which no GRU needs otherwise.
    addToSourceGradient({ ...step, tape: { ...tape, dSource: tape.dCell } }, 2 * n, n);
    for (let b = 0; b < active; b += 1) backwardReset(memory.values, n, rowPlaces(step, b));
    addToSourceGradient(step, 0, 2 * n);
  },
  recurrentParts: (hiddenSize) => [
    { from: 0, count: 2 * hiddenSize, of: 'source' },
    { from: 2 * hiddenSize, count: hiddenSize, of: 'inner' },
  ],
};

function forwardAfter(v: Float64Array, n: number, row: RowPlaces): void {
  const { gates, recurrent, hidden } = row;
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const from = recurrent + j;
    const r = sigmoid(v[at] + v[from]);
    const z = sigmoid(v[at + n] + v[from + n]);
    const m = Math.tanh(v[at + 2 * n] + r * v[from + 2 * n]);
    v[at] = r;
    v[at + n] = z;
    v[at + 2 * n] = m;
    v[hidden + n + j] = (1 - z) * m + z * v[hidden + j];
  }
}

function backwardAfter(v: Float64Array, n: number, row: RowPlaces): void {
  const { gates, recurrent, hidden, dHidden } = row;
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const to = recurrent + j;
    const r = v[at];
    const z = v[at + n];
    const m = v[at + 2 * n];
    const d = v[dHidden + j];
    const dM = d * (1 - z) * (1 - m * m);
    const dR = dM * v[to + 2 * n] * r * (1 - r);
    const dZ = d * (v[hidden + j] - m) * z * (1 - z);
    v[at] = dR;
    v[at + n] = dZ;
    v[at + 2 * n] = dM;
    v[to] = dR;
    v[to + n] = dZ;
    v[to + 2 * n] = dM * r;
    v[dHidden + j] = d * z;
  }
}

function resetRow(v: Float64Array, n: number, { gates, recurrent, source, inner }: RowPlaces): void {
  for (let j = 0; j < n; j += 1) {
    const r = sigmoid(v[gates + j] + v[recurrent + j]);
    v[gates + j] = r;
    v[gates + n + j] = sigmoid(v[gates + n + j] + v[recurrent + n + j]);
    v[inner + j] = r * v[source + j];
  }
}

function candidateRow(v: Float64Array, n: number, { gates, recurrent, hidden }: RowPlaces): void {
  for (let j = 0; j < n; j += 1) {
    const z = v[gates + n + j];
    const m = Math.tanh(v[gates + 2 * n + j] + v[recurrent + 2 * n + j]);
    v[gates + 2 * n + j] = m;
    v[hidden + n + j] = (1 - z) * m + z * v[hidden + j];
  }
}

function backwardCandidate(v: Float64Array, n: number, row: RowPlaces): void {
  const { gates, recurrent, hidden, dHidden, dCell } = row;
  for (let j = 0; j < n; j += 1) {
    const at = gates + j;
    const to = recurrent + j;
    const z = v[at + n];
    const m = v[at + 2 * n];
    const d = v[dHidden + j];
    const dM = d * (1 - z) * (1 - m * m);
    const dZ = d * (v[hidden + j] - m) * z * (1 - z);
    v[at + n] = dZ;
    v[at + 2 * n] = dM;
    v[to + n] = dZ;
    v[to + 2 * n] = dM;
    v[dHidden + j] = d * z;
    v[dCell + j] = 0;
  }
}

function backwardReset(v: Float64Array, n: number, row: RowPlaces): void {
  const { gates, recurrent, source, dSource, dCell } = row;
  for (let j = 0; j < n; j += 1) {
    const r = v[gates + j];
    const d = v[dCell + j];
    const dR = d * v[source + j] * r * (1 - r);
    v[gates + j] = dR;
    v[recurrent + j] = dR;
    v[dSource + j] += d * r;
  }
}
