import { drawMask } from './dropout.ts';
import type { Rows } from './layer.ts';
import type { SeededRandom } from './random.ts';
import type { TrainingSequence } from './sequences.ts';
import type { TrainingWindow } from './window.ts';

/** The trained table before the network (`../embedding.ts`): a row costs its own entries only, forward and backward. */
export class TrainingEmbedding {
  readonly #size: number;
  /** Places of the table and of its gradient, [buckets][size]. */
  readonly #table: number;
  readonly #gradient: number;
  readonly #share: number;
  /** What each entry of the window is multiplied with, in the order of `#eachRow`. */
  #mask = new Float64Array(0);

  constructor(options: {
    readonly size: number;
    readonly table: number;
    readonly gradient: number;
    readonly share: number;
  }) {
    this.#size = options.size;
    this.#table = options.table;
    this.#gradient = options.gradient;
    this.#share = options.share;
  }

  /** Draws which entries of a window's rows are left out. */
  draw(random: SeededRandom, window: TrainingWindow): void {
    if (this.#share === 0) return;
    let count = 0;
    this.#eachRow(window, { at: 0, size: 0, sequenceStep: 0 }, ({ starts }, row) => {
      count += starts[row + 1] - starts[row];
    });
    if (this.#mask.length < count) this.#mask = new Float64Array(2 * count);
    drawMask(this.#mask, 0, count, { share: this.#share, random });
  }

  /** Sets the last [size] inputs of every row. `masked`: without the entries that were drawn last. */
  forward(values: Float64Array, window: TrainingWindow, input: Rows, masked: boolean): void {
    const n = this.#size;
    const mask = masked && this.#share > 0 ? this.#mask : null;
    let drawn = 0;
    this.#eachRow(window, input, (sequence, row, at) => {
      values.fill(0, at, at + n);
      const [from, to] = entriesOf(sequence, row);
      for (let k = from; k < to; k += 1) {
        const entry = this.#table + sequence.entries[k] * n;
        const kept = mask === null ? 1 : mask[drawn];
        drawn += 1;
        if (kept !== 0) for (let i = 0; i < n; i += 1) values[at + i] += kept * values[entry + i];
      }
      const scale = 1 / Math.sqrt(Math.max(1, to - from));
      for (let i = at; i < at + n; i += 1) values[i] *= scale;
    });
  }

  /** Adds the gradients of the entries from that of the inputs, [size] at the end of each row of `slope`. */
  addGradients(values: Float64Array, window: TrainingWindow, slope: Rows, masked: boolean): void {
    const n = this.#size;
    const mask = masked && this.#share > 0 ? this.#mask : null;
    let drawn = 0;
    this.#eachRow(window, slope, (sequence, row, at) => {
      const [from, to] = entriesOf(sequence, row);
      const scale = 1 / Math.sqrt(Math.max(1, to - from));
      for (let k = from; k < to; k += 1) {
        const entry = this.#gradient + sequence.entries[k] * n;
        const kept = mask === null ? scale : scale * mask[drawn];
        drawn += 1;
        if (kept !== 0) for (let i = 0; i < n; i += 1) values[entry + i] += values[at + i] * kept;
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
