import assert from 'node:assert/strict';
import type { CellGradient, CellStep } from './cell-gradient.ts';
import { addToSourceGradient, rowPlaces, setRecurrent } from './cell-step.ts';
import { type Norm, normaliseRow, normGradientRow } from './norm.ts';

/** The RNN of `../cells/norm-rnn.ts`: h = tanh(LN(W x + U h) + b_ih + b_hh); the norm's shift is b_ih. */
export const NORM_RNN: CellGradient = {
  forward(step) {
    const { memory, tape, active, t } = step;
    const { hiddenSize: n, windowRows, bHh } = tape;
    const v = memory.values;
    const norm = normOf(step);
    setRecurrent(step, 0, n);
    for (let b = 0; b < active; b += 1) {
      const { gates, recurrent, hidden } = rowPlaces(step, b);
      for (let j = 0; j < n; j += 1) v[gates + j] += v[recurrent + j];
      normaliseRow(v, norm, { row: b * windowRows + t, at: gates, from: 0, count: n });
      for (let j = 0; j < n; j += 1) {
        const h = Math.tanh(v[gates + j] + v[bHh + j]);
        v[gates + j] = h;
        v[hidden + n + j] = h;
      }
    }
  },
  backward(step) {
    const { memory, tape, active, t } = step;
    const { hiddenSize: n, windowRows, dBHh } = tape;
    const v = memory.values;
    const norm = normOf(step);
    for (let b = 0; b < active; b += 1) {
      const { gates, recurrent, dHidden } = rowPlaces(step, b);
      for (let j = 0; j < n; j += 1) {
        const h = v[gates + j];
        const d = v[dHidden + j] * (1 - h * h);
        v[gates + j] = d;
        v[dBHh + j] += d;
        v[dHidden + j] = 0;
      }
      normGradientRow(v, norm, { row: b * windowRows + t, at: gates, from: 0, count: n });
      v.copyWithin(recurrent, gates, gates + n);
    }
    addToSourceGradient(step, 0, n);
  },
  recurrentParts: (hiddenSize) => [{ from: 0, count: hiddenSize, of: 'source' }],
};

function normOf({ tape }: CellStep): Norm {
  assert(tape.normSum !== null, 'A layer-normalised RNN has a norm of its sums.');
  return tape.normSum;
}
