import { drawMask } from './dropout.ts';
import type { Rows } from './layer.ts';
import type { SeededRandom } from './random.ts';
import type { TrainingWindow } from './window.ts';

/** Dropout of the inputs or of a layer's output: a mask for every row of a window. */
export class OutputMask {
  /** The output through the mask. */
  readonly masked: Rows;
  readonly #share: number;
  /** [B][T][H] */
  readonly #mask: number;

  constructor(options: {
    readonly share: number;
    readonly size: number;
    readonly batchSequences: number;
    readonly windowRows: number;
    readonly reserve: (count: number) => number;
  }) {
    const { share, size, batchSequences, windowRows, reserve } = options;
    this.#share = share;
    this.#mask = reserve(batchSequences * windowRows * size);
    this.masked = { at: reserve(batchSequences * windowRows * size), size, sequenceStep: windowRows * size };
  }

  draw(values: Float64Array, random: SeededRandom, window: TrainingWindow): void {
    const { size, sequenceStep } = this.masked;
    window.rows.forEach((rows, b) => {
      drawMask(values, this.#mask + b * sequenceStep, rows * size, { share: this.#share, random });
    });
  }

  /** Sets `masked`. */
  apply(values: Float64Array, window: TrainingWindow, output: Rows): void {
    const { at, size, sequenceStep } = this.masked;
    window.rows.forEach((rows, b) => {
      const offset = b * sequenceStep;
      const from = output.at + b * output.sequenceStep;
      for (let i = 0; i < rows * size; i += 1)
        values[at + offset + i] = values[from + i] * values[this.#mask + offset + i];
    });
  }

  /** Makes the gradient of the masked rows that of the rows. */
  unmask(values: Float64Array, window: TrainingWindow, slope: Rows): void {
    const { size, sequenceStep } = this.masked;
    window.rows.forEach((rows, b) => {
      const at = slope.at + b * slope.sequenceStep;
      for (let i = 0; i < rows * size; i += 1) values[at + i] *= values[this.#mask + b * sequenceStep + i];
    });
  }

  /** Adds the gradient of row t's masked output, [active][H] at `from` with `fromStep` between sequences, to that of the output, [active][H]. */
  addThrough(
    values: Float64Array,
    row: { readonly t: number; readonly active: number; readonly from: number; readonly fromStep: number },
    to: number,
  ): void {
    const { size, sequenceStep } = this.masked;
    for (let b = 0; b < row.active; b += 1) {
      const mask = this.#mask + b * sequenceStep + row.t * size;
      const from = row.from + b * row.fromStep;
      for (let j = 0; j < size; j += 1) values[to + b * size + j] += values[from + j] * values[mask + j];
    }
  }
}
