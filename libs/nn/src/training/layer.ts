import { type CellGradient, type CellTape, cellGradient } from './cell-gradient.ts';
import { normaliseRow, normGradientRow } from './norm.ts';
import type { TrainingMemory } from './products.ts';
import { createTape, maskedTape, type TapeOptions } from './tape.ts';
import type { TrainingWindow } from './window.ts';

/** Rows [B][T][size] in the memory; `sequenceStep` from sequence to sequence. */
export interface Rows {
  readonly at: number;
  readonly size: number;
  readonly sequenceStep: number;
}

export interface LayerOptions extends TapeOptions {
  readonly inputSize: number;
  /** Place of a 1. */
  readonly one: number;
}

/** One recurrent layer over windows, with what its backward pass needs. Shapes: `CellTape`. */
export class TrainingLayer {
  readonly #options: LayerOptions;
  readonly #cell: CellGradient;
  readonly #tape: CellTape;
  /** The same through a dropout mask. */
  readonly #maskedTape: CellTape;
  /** [I][GH] */
  readonly #wIhT: number;
  /** [B][H], one: what each sequence's h is multiplied with on its way to U. */
  readonly recurrentMasks: readonly number[];
  readonly #recurrentMask: number;

  constructor(options: LayerOptions) {
    const { spec, inputSize, batchSequences, reserve } = options;
    this.#options = options;
    this.#cell = cellGradient(spec);
    this.#tape = createTape(options);
    this.#maskedTape = maskedTape(this.#tape, options);
    this.#wIhT = reserve(inputSize * this.#tape.width);
    this.#recurrentMask = reserve(batchSequences * spec.hiddenSize);
    this.recurrentMasks = [this.#recurrentMask];
  }

  /** h after every row. */
  get output(): Rows {
    const { hidden, hiddenSize, windowRows } = this.#tape;
    return { at: hidden + hiddenSize, size: hiddenSize, sequenceStep: (windowRows + 1) * hiddenSize };
  }

  /** Zero states before the next window. */
  reset({ values }: TrainingMemory): void {
    const { hidden, cell, hiddenSize: n, windowRows } = this.#tape;
    for (let b = 0; b < this.#options.batchSequences; b += 1) {
      const at = b * (windowRows + 1) * n;
      values.fill(0, hidden + at, hidden + at + n);
      if (this.#options.spec.cell === 'lstm') values.fill(0, cell + at, cell + at + n);
    }
  }

  /** The states after the window become those before the next one; no gradient flows back through them. */
  carry({ values }: TrainingMemory, window: TrainingWindow): void {
    const { hidden, cell, hiddenSize: n, windowRows } = this.#tape;
    window.rows.forEach((rows, b) => {
      const to = b * (windowRows + 1) * n;
      const from = to + rows * n;
      values.copyWithin(hidden + to, hidden + from, hidden + from + n);
      if (this.#options.spec.cell === 'lstm') values.copyWithin(cell + to, cell + from, cell + from + n);
    });
  }

  forward(memory: TrainingMemory, window: TrainingWindow, x: Rows, masked: boolean): void {
    const { values } = memory;
    const { spec, weights } = this.#options;
    const tape = masked ? this.#maskedTape : this.#tape;
    const { gates, width, hiddenSize, windowRows } = tape;
    transpose(values, weights.wIh, this.#wIhT, { rows: width, columns: x.size });
    transpose(values, weights.wHh, tape.wHhT, { rows: width, columns: hiddenSize });
    window.rows.forEach((rows, b) => {
      const out = gates + b * windowRows * width;
      const start = spec.layerNorm ? tape.start : weights.bIh;
      for (let t = 0; t < rows; t += 1) values.copyWithin(out + t * width, start, start + width);
      memory.addProduct({
        ...{ out, outRow: width, x: x.at + b * x.sequenceStep, xRow: x.size, xTerm: 1 },
        ...{ w: this.#wIhT, wTerm: width, rows, columns: width, depth: x.size },
      });
      if (tape.normIh === null) return;
      for (let t = 0; t < rows; t += 1)
        normaliseRow(values, tape.normIh, { row: b * windowRows + t, at: out + t * width, from: 0, count: width });
    });
    window.active.forEach((active, t) => {
      if (masked) this.#maskSource(values, t, active);
      this.#cell.forward({ memory, tape, t, active });
    });
  }

  /**
   * Adds to the gradients. `addAbove` adds the gradient of row t's output to `dHidden`, [active][H]. `dInput`: where the gradient of x is set,
   * null where nobody asks.
   */
  backward(
    memory: TrainingMemory,
    window: TrainingWindow,
    pass: {
      readonly x: Rows;
      readonly masked: boolean;
      readonly dInput: Rows | null;
      readonly addAbove: (t: number, active: number, dHidden: number) => void;
    },
  ): void {
    const { values } = memory;
    const tape = pass.masked ? this.#maskedTape : this.#tape;
    const count = this.#options.batchSequences * tape.hiddenSize;
    values.fill(0, tape.dHidden, tape.dHidden + count);
    values.fill(0, tape.dCell, tape.dCell + count);
    for (let t = window.active.length - 1; t >= 0; t -= 1) {
      const active = window.active[t];
      pass.addAbove(t, active, tape.dHidden);
      if (pass.masked) values.fill(0, tape.dSource, tape.dSource + count);
      this.#cell.backward({ memory, tape, t, active });
      if (pass.masked) this.#unmaskGradient(values, active);
    }
    this.#normInputGradients(values, window);
    for (const b of window.batch.order)
      if (window.rows[b] > 0) this.#addGradients(memory, tape, pass.x, b, window.rows[b]);
    if (pass.dInput) this.#setInputGradient(memory, window, pass.dInput);
  }

  #maskSource(values: Float64Array, t: number, active: number): void {
    const { hidden, source, sourceStep, hiddenSize: n, windowRows } = this.#maskedTape;
    for (let b = 0; b < active; b += 1) {
      const from = hidden + (b * (windowRows + 1) + t) * n;
      const to = source + b * sourceStep + t * n;
      for (let j = 0; j < n; j += 1) values[to + j] = values[from + j] * values[this.#recurrentMask + b * n + j];
    }
  }

  #unmaskGradient(values: Float64Array, active: number): void {
    const { dHidden, dSource, hiddenSize } = this.#maskedTape;
    for (let i = 0; i < active * hiddenSize; i += 1)
      values[dHidden + i] += values[dSource + i] * values[this.#recurrentMask + i];
  }

  /** The gradients of LN(W x) become those of W x. */
  #normInputGradients(values: Float64Array, window: TrainingWindow): void {
    const { normIh, gates, width, windowRows } = this.#tape;
    if (normIh === null) return;
    window.rows.forEach((rows, b) => {
      for (let row = b * windowRows; row < b * windowRows + rows; row += 1)
        normGradientRow(values, normIh, { row, at: gates + row * width, from: 0, count: width });
    });
  }

  /** One sequence's share, newest row first. */
  #addGradients(memory: TrainingMemory, tape: CellTape, x: Rows, b: number, rows: number): void {
    const { gradients, one } = this.#options;
    const { gates, recurrent, inner, width, hiddenSize: n, windowRows, source, sourceStep } = tape;
    const last = (b * windowRows + rows - 1) * width;
    const bias = { outRow: 1, xRow: 1, xTerm: -width, w: one, wTerm: 0, rows: width, columns: 1, depth: rows };
    memory.addProduct({
      ...{ out: gradients.wIh, outRow: x.size, x: gates + last, xRow: 1, xTerm: -width, wTerm: -x.size },
      ...{ w: x.at + b * x.sequenceStep + (rows - 1) * x.size, rows: width, columns: x.size, depth: rows },
    });
    for (const { from, count, of } of this.#cell.recurrentParts(n)) {
      const values = of === 'source' ? source + b * sourceStep : inner + b * windowRows * n;
      memory.addProduct({
        ...{ out: gradients.wHh + from * n, outRow: n, x: recurrent + last + from, xRow: 1, xTerm: -width },
        ...{ w: values + (rows - 1) * n, wTerm: -n, rows: count, columns: n, depth: rows },
      });
    }
    // A norm adds its own.
    if (this.#options.spec.layerNorm) return;
    memory.addProduct({ ...bias, out: gradients.bIh, x: gates + last });
    memory.addProduct({ ...bias, out: gradients.bHh, x: recurrent + last });
  }

  #setInputGradient(memory: TrainingMemory, window: TrainingWindow, dInput: Rows): void {
    const { gates, width, windowRows } = this.#tape;
    window.rows.forEach((rows, b) => {
      const out = dInput.at + b * dInput.sequenceStep;
      memory.values.fill(0, out, out + rows * dInput.size);
      memory.addProduct({
        ...{ out, outRow: dInput.size, x: gates + b * windowRows * width, xRow: width, xTerm: 1 },
        ...{ w: this.#options.weights.wIh, wTerm: dInput.size, rows, columns: dInput.size, depth: width },
      });
    });
  }
}

/** to[columns][rows] = from[rows][columns] transposed. */
export function transpose(
  values: Float64Array,
  from: number,
  to: number,
  shape: { readonly rows: number; readonly columns: number },
): void {
  for (let r = 0; r < shape.rows; r += 1)
    for (let c = 0; c < shape.columns; c += 1) values[to + c * shape.rows + r] = values[from + r * shape.columns + c];
}
