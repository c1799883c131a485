import type { CellGradient, CellStep } from './cell-gradient.ts';
import { addToSourceGradient, rowPlaces, setRecurrent } from './cell-step.ts';

/** h = tanh(W x + b_ih + U h + b_hh). */
export const RNN: CellGradient = {
  forward(step) {
    const { memory, tape, active } = step;
    const { hiddenSize: n } = tape;
    setRecurrent(step, 0, n);
    for (let b = 0; b < active; b += 1) {
      const { gates, recurrent, hidden } = rowPlaces(step, b);
      squash(memory.values, n, gates, recurrent, hidden + n);
    }
  },
  backward(step: CellStep) {
    const { memory, tape, active } = step;
    const { hiddenSize: n } = tape;
    const v = memory.values;
    for (let b = 0; b < active; b += 1) {
      const { gates, recurrent, dHidden } = rowPlaces(step, b);
      for (let j = 0; j < n; j += 1) {
        const h = v[gates + j];
        const d = v[dHidden + j] * (1 - h * h);
        v[gates + j] = d;
        v[recurrent + j] = d;
        v[dHidden + j] = 0;
      }
    }
    addToSourceGradient(step, 0, n);
  },
  recurrentParts: (hiddenSize) => [{ from: 0, count: hiddenSize, of: 'source' }],
};

function squash(v: Float64Array, n: number, gates: number, recurrent: number, h: number): void {
  for (let j = 0; j < n; j += 1) {
    const value = Math.tanh(v[gates + j] + v[recurrent + j]);
    v[gates + j] = value;
    v[h + j] = value;
  }
}
