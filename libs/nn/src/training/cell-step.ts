import type { CellStep } from './cell-gradient.ts';
import { normaliseRow, normGradientRow } from './norm.ts';

/** A row's places. */
export interface RowPlaces {
  /** In `gates` and `recurrent`, [GH] from here. */
  readonly gates: number;
  readonly recurrent: number;
  /** h before, [H]; h after stands H behind. */
  readonly hidden: number;
  /** c before, as `hidden`. */
  readonly cell: number;
  readonly inner: number;
  readonly dHidden: number;
  readonly dCell: number;
  readonly source: number;
  readonly dSource: number;
}

/** Places of sequence b's row. */
export function rowPlaces({ tape, t }: CellStep, b: number): RowPlaces {
  const { hiddenSize, width, windowRows } = tape;
  const row = b * windowRows + t;
  const before = (b * (windowRows + 1) + t) * hiddenSize;
  return {
    gates: tape.gates + row * width,
    recurrent: tape.recurrent + row * width,
    hidden: tape.hidden + before,
    cell: tape.cell + before,
    inner: tape.inner + row * hiddenSize,
    dHidden: tape.dHidden + b * hiddenSize,
    dCell: tape.dCell + b * hiddenSize,
    source: tape.source + b * tape.sourceStep + t * hiddenSize,
    dSource: tape.dSource + b * hiddenSize,
  };
}

/** recurrent = b_hh + U source, or b_hh + LN(U source), for gate rows [from, from + count). */
export function setRecurrent(step: CellStep, from: number, count: number): void {
  const { memory, tape, t, active } = step;
  const { width, windowRows, hiddenSize } = tape;
  const out = tape.recurrent + t * width + from;
  for (let b = 0; b < active; b += 1) {
    const bias = tape.start + from;
    memory.values.copyWithin(out + b * windowRows * width, bias, bias + count);
  }
  memory.addProduct({
    ...{ out, outRow: windowRows * width, x: tape.source + t * hiddenSize, xRow: tape.sourceStep, xTerm: 1 },
    ...{ w: tape.wHhT + from, wTerm: width, rows: active, columns: count, depth: hiddenSize },
  });
  if (tape.normHh === null) return;
  for (let b = 0; b < active; b += 1) {
    const row = b * windowRows + t;
    normaliseRow(memory.values, tape.normHh, { row, at: tape.recurrent + row * width, from, count });
  }
}

/** dSource += U^T d for gate rows [from, from + count), d standing in `recurrent`; where U h is normalised, d becomes the gradient of U h first. */
export function addToSourceGradient(step: CellStep, from: number, count: number): void {
  const { memory, tape, t, active } = step;
  const { width, windowRows, hiddenSize, normHh } = tape;
  if (normHh !== null)
    for (let b = 0; b < active; b += 1) {
      const row = b * windowRows + t;
      normGradientRow(memory.values, normHh, { row, at: tape.recurrent + row * width, from, count });
    }
  memory.addProduct({
    ...{
      out: tape.dSource,
      outRow: hiddenSize,
      x: tape.recurrent + t * width + from,
      xRow: windowRows * width,
      xTerm: 1,
    },
    ...{ w: tape.wHh + from * hiddenSize, wTerm: hiddenSize, rows: active, columns: hiddenSize, depth: count },
  });
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
