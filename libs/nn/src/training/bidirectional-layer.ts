import { type LayerOptions, type Rows, TrainingLayer } from './layer.ts';
import type { TrainingMemory } from './products.ts';
import type { LayerPlaces } from './tape.ts';
import type { TrainingWindow } from './window.ts';

export interface BidirectionalOptions extends LayerOptions {
  /** Of the direction that reads from the last row to the first; `weights` and `gradients` are those of the other one. */
  readonly reverse: { readonly weights: LayerPlaces; readonly gradients: LayerPlaces };
}

/**
 * One layer that reads a window in both directions, y_t = [f_t, b_t]: two recurrent layers, the second over the rows the other way round. A window must hold
 * whole sequences: a reverse direction has no state to carry. Source: `sequence/bidirectional.ts`. Shapes: x [B][T][I], y [B][T][2H].
 */
export class BidirectionalLayer {
  readonly output: Rows;
  readonly recurrentMasks: readonly number[];
  readonly #directions: readonly [TrainingLayer, TrainingLayer];
  /** [B][T][I]: x the other way round, and its gradient. */
  readonly #reversed: Rows;
  readonly #reversedSlope: Rows;
  /** [B][T][2H]: the gradient of y. */
  readonly #slopes: Rows;
  /** [B][2H] */
  readonly #rowSlope: number;

  constructor(options: BidirectionalOptions) {
    const { spec, inputSize, batchSequences, windowRows, reserve, reverse } = options;
    const rows = (size: number): Rows => ({
      ...{ at: reserve(batchSequences * windowRows * size), size, sequenceStep: windowRows * size },
    });
    this.#directions = [new TrainingLayer(options), new TrainingLayer({ ...options, ...reverse })];
    this.recurrentMasks = this.#directions.flatMap(({ recurrentMasks }) => recurrentMasks);
    this.output = rows(2 * spec.hiddenSize);
    this.#slopes = rows(2 * spec.hiddenSize);
    this.#rowSlope = reserve(batchSequences * 2 * spec.hiddenSize);
    this.#reversed = rows(inputSize);
    this.#reversedSlope = rows(inputSize);
  }

  reset(memory: TrainingMemory): void {
    for (const layer of this.#directions) layer.reset(memory);
  }

  /** The next window is of other sequences. */
  carry(memory: TrainingMemory): void {
    this.reset(memory);
  }

  forward(memory: TrainingMemory, window: TrainingWindow, x: Rows, masked: boolean): void {
    const { values } = memory;
    const [forward, reverse] = this.#directions;
    forward.forward(memory, window, x, masked);
    eachRow(window, x, this.#reversed, (from, to) => void values.copyWithin(to, from, from + x.size), true);
    reverse.forward(memory, window, this.#reversed, masked);
    const { size } = forward.output;
    eachRow(window, forward.output, this.output, (from, to) => void values.copyWithin(to, from, from + size), false);
    const second = { ...this.output, at: this.output.at + size };
    eachRow(window, reverse.output, second, (from, to) => void values.copyWithin(to, from, from + size), true);
  }

  /** As `TrainingLayer.backward`; `addAbove` gives [active][2H]. */
  backward(memory: TrainingMemory, window: TrainingWindow, pass: Parameters<TrainingLayer['backward']>[2]): void {
    const { values } = memory;
    const { x, masked, dInput } = pass;
    const [forward, reverse] = this.#directions;
    this.#gatherSlopes(values, window, pass.addAbove);
    forward.backward(memory, window, { x, masked, dInput, addAbove: this.#addSlopes(values, window, 0) });
    const own = dInput === null ? null : this.#reversedSlope;
    const behind = { x: this.#reversed, masked, dInput: own, addAbove: this.#addSlopes(values, window, 1) };
    reverse.backward(memory, window, behind);
    if (dInput === null) return;
    const add = (from: number, to: number): void => {
      for (let i = 0; i < x.size; i += 1) values[to + i] += values[from + i];
    };
    eachRow(window, this.#reversedSlope, dInput, add, true);
  }

  #gatherSlopes(
    values: Float64Array,
    window: TrainingWindow,
    addAbove: (t: number, active: number, to: number) => void,
  ): void {
    const { at, size, sequenceStep } = this.#slopes;
    const row = this.#rowSlope;
    window.active.forEach((active, t) => {
      values.fill(0, row, row + active * size);
      addAbove(t, active, row);
      for (let b = 0; b < active; b += 1)
        values.copyWithin(at + b * sequenceStep + t * size, row + b * size, row + (b + 1) * size);
    });
  }

  /** Gives a direction its half of y's gradient, in its own order of rows. */
  #addSlopes(values: Float64Array, window: TrainingWindow, direction: 0 | 1) {
    const { at, size, sequenceStep } = this.#slopes;
    const n = size / 2;
    return (t: number, active: number, to: number): void => {
      for (let b = 0; b < active; b += 1) {
        const row = direction === 0 ? t : window.rows[b] - 1 - t;
        const from = at + b * sequenceStep + row * size + direction * n;
        for (let j = 0; j < n; j += 1) values[to + b * n + j] += values[from + j];
      }
    };
  }
}

/** Calls `work` with the places of each row in `from` and of the row in `to` that it belongs to: the same one, or the one as far from the sequence's end. */
function eachRow(
  window: TrainingWindow,
  from: Rows,
  to: Rows,
  work: (from: number, to: number) => void,
  isReversed: boolean,
): void {
  window.rows.forEach((rows, b) => {
    for (let t = 0; t < rows; t += 1) {
      const place = isReversed ? rows - 1 - t : t;
      work(from.at + b * from.sequenceStep + t * from.size, to.at + b * to.sequenceStep + place * to.size);
    }
  });
}
