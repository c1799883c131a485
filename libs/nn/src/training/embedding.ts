import type { Rows } from './layer.ts';
import type { TrainingSequence } from './sequences.ts';
import type { TrainingWindow } from './window.ts';

/** The trained table before the network (`../embedding.ts`): a row costs its own entries only, forward and backward. */
export class TrainingEmbedding {
  readonly #size: number;
  /** Places of the table and of its gradient, [buckets][size]. */
  readonly #table: number;
  readonly #gradient: number;

  constructor(options: { readonly size: number; readonly table: number; readonly gradient: number }) {
    this.#size = options.size;
    this.#table = options.table;
    this.#gradient = options.gradient;
  }

  /** Sets the last [size] inputs of every row. */
  forward(values: Float64Array, window: TrainingWindow, input: Rows): void {
    const n = this.#size;
    this.#eachRow(window, input, (sequence, row, at) => {
      values.fill(0, at, at + n);
      const [from, to] = entriesOf(sequence, row);
      for (let k = from; k < to; k += 1) {
        const entry = this.#table + sequence.entries[k] * n;
        for (let i = 0; i < n; i += 1) values[at + i] += values[entry + i];
      }
      const scale = 1 / Math.sqrt(Math.max(1, to - from));
      for (let i = at; i < at + n; i += 1) values[i] *= scale;
    });
  }

  /** Adds the gradients of the entries from that of the inputs, [size] at the end of each row of `slope`. */
  addGradients(values: Float64Array, window: TrainingWindow, slope: Rows): void {
    const n = this.#size;
    this.#eachRow(window, slope, (sequence, row, at) => {
      const [from, to] = entriesOf(sequence, row);
      const scale = 1 / Math.sqrt(Math.max(1, to - from));
      for (let k = from; k < to; k += 1) {
        const entry = this.#gradient + sequence.entries[k] * n;
        for (let i = 0; i < n; i += 1) values[entry + i] += values[at + i] * scale;
      }
    });
  }

  /** Rows in the caller's order of sequences; `at`: the row's last [size] values. */
  #eachRow(window: TrainingWindow, rows: Rows, each: (sequence: RowEntries, row: number, at: number) => void): void {
    for (const b of window.batch.order) {
      const { entries } = window.batch.sequences[b];
      if (entries === undefined) continue;
      for (let t = 0; t < window.rows[b]; t += 1)
        each(entries, window.from + t, rows.at + b * rows.sequenceStep + (t + 1) * rows.size - this.#size);
    }
  }
}

/** The table entries of each row of a sequence: those of row t are entries[starts[t]] to entries[starts[t + 1] - 1]. */
export interface RowEntries {
  /** [rows + 1] */
  readonly starts: Uint32Array;
  readonly entries: Uint32Array;
}

function entriesOf({ starts }: RowEntries, row: number): readonly [from: number, to: number] {
  return [starts[row], starts[row + 1]];
}

/** Whether a sequence's entries fit its rows and a table of `buckets`. */
export function entriesFit({ entries: of, rows }: TrainingSequence, buckets: number): boolean {
  if (of === undefined || of.starts.length !== rows + 1 || of.starts[0] !== 0) return false;
  const rising = of.starts.every((start, row) => row === 0 || start >= of.starts[row - 1]);
  return rising && of.starts[rows] === of.entries.length && of.entries.every((entry) => entry < buckets);
}
