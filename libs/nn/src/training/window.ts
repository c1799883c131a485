import type { TrainingSequence } from './sequences.ts';

/** Sequences side by side. The longest stand first, so that the sequences that have a row t are always the first ones. */
export interface TrainingBatch {
  readonly sequences: readonly TrainingSequence[];
  /** Place of the i-th sequence as the caller ordered them: sums over sequences go in this order. */
  readonly order: readonly number[];
  readonly rowsMax: number;
}

/** Rows [from, from + T) of a batch. */
export interface TrainingWindow {
  readonly batch: TrainingBatch;
  readonly from: number;
  /** Rows of each sequence in the window, none to T. */
  readonly rows: readonly number[];
  /** How many sequences have the window's row t. */
  readonly active: readonly number[];
}

export function createBatch(sequences: readonly TrainingSequence[]): TrainingBatch {
  const places = sequences.map((_, i) => i).sort((a, b) => sequences[b].rows - sequences[a].rows || a - b);
  const order = sequences.map(() => 0);
  places.forEach((i, place) => {
    order[i] = place;
  });
  return { sequences: places.map((i) => sequences[i]), order, rowsMax: sequences[places[0]].rows };
}

export function windowOf(batch: TrainingBatch, from: number, windowRows: number): TrainingWindow {
  const rows = batch.sequences.map((sequence) => Math.max(0, Math.min(windowRows, sequence.rows - from)));
  const active = Array.from({ length: rows[0] }, (_, t) => rows.filter((count) => count > t).length);
  return { batch, from, rows, active };
}
