import type { ModelSpec } from '../model.ts';
import type { HeadPlaces } from './head.ts';
import { type Rows, transpose } from './layer.ts';
import type { TrainingMemory } from './products.ts';
import type { TrainingWindow } from './window.ts';

export interface InputLayerOptions {
  readonly spec: ModelSpec;
  /** V, the layer's units. */
  readonly units: number;
  readonly weights: HeadPlaces;
  readonly gradients: HeadPlaces;
  readonly batchSequences: number;
  readonly windowRows: number;
  readonly reserve: (count: number) => number;
  /** Place of a 1. */
  readonly one: number;
}

/** The dense layer before the first recurrent one, v = tanh(W x + b) or max(0, W x + b), on every row. */
export class TrainingInputLayer {
  /** [B][T][V] */
  readonly output: Rows;
  /** [B][T][V]: the gradient of `output`, set by the layers that read it; `addGradients` makes it that of W x + b. */
  readonly slope: Rows;
  readonly #options: InputLayerOptions;
  /** [I][V] */
  readonly #wT: number;

  constructor(options: InputLayerOptions) {
    const { spec, units, batchSequences, windowRows, reserve } = options;
    this.#options = options;
    const rows = (): Rows => ({
      ...{ at: reserve(batchSequences * windowRows * units), size: units, sequenceStep: windowRows * units },
    });
    this.output = rows();
    this.slope = rows();
    this.#wT = reserve(spec.inputSize * units);
  }

  forward(memory: TrainingMemory, window: TrainingWindow, x: Rows): void {
    const { units, weights } = this.#options;
    const { values } = memory;
    transpose(values, weights.w, this.#wT, { rows: units, columns: x.size });
    window.rows.forEach((rows, b) => {
      const out = this.output.at + b * this.output.sequenceStep;
      for (let t = 0; t < rows; t += 1) values.copyWithin(out + t * units, weights.b, weights.b + units);
      memory.addProduct({
        ...{ out, outRow: units, x: x.at + b * x.sequenceStep, xRow: x.size, xTerm: 1 },
        ...{ w: this.#wT, wTerm: units, rows, columns: units, depth: x.size },
      });
      activate(values, this.#options.spec, out, out + rows * units);
    });
  }

  /** Sets the gradient of the last `count` inputs of each row, after `addGradients`. */
  setInputGradient(memory: TrainingMemory, window: TrainingWindow, to: Rows, count: number): void {
    const { units, weights } = this.#options;
    window.rows.forEach((rows, b) => {
      const out = to.at + b * to.sequenceStep;
      memory.values.fill(0, out, out + rows * to.size);
      memory.addProduct({
        ...{ out: out + to.size - count, outRow: to.size, columns: count, rows, depth: units },
        ...{ x: this.slope.at + b * this.slope.sequenceStep, xRow: units, xTerm: 1 },
        ...{ w: weights.w + to.size - count, wTerm: to.size },
      });
    });
  }

  /** Adds the window's gradients of W and b from `slope`, sequence by sequence, newest row first. */
  addGradients(memory: TrainingMemory, window: TrainingWindow, x: Rows): void {
    const { units, gradients, one } = this.#options;
    const { values } = memory;
    for (const b of window.batch.order) {
      const depth = window.rows[b];
      if (depth === 0) continue;
      const from = b * this.slope.sequenceStep;
      const isRelu = this.#options.spec.inputActivation === 'relu';
      for (let i = from; i < from + depth * units; i += 1) {
        const v = values[this.output.at + i];
        values[this.slope.at + i] *= isRelu ? Number(v > 0) : 1 - v ** 2;
      }
      const d = {
        x: this.slope.at + from + (depth - 1) * units,
        ...{ xRow: 1, xTerm: -units, rows: units, depth },
      };
      memory.addProduct({
        ...{ ...d, out: gradients.w, outRow: x.size, columns: x.size },
        ...{ w: x.at + b * x.sequenceStep + (depth - 1) * x.size, wTerm: -x.size },
      });
      memory.addProduct({ ...d, out: gradients.b, outRow: 1, columns: 1, w: one, wTerm: 0 });
    }
  }
}

function activate(values: Float64Array, { inputActivation }: ModelSpec, from: number, to: number): void {
  if (inputActivation === 'relu') for (let i = from; i < to; i += 1) values[i] = values[i] < 0 ? 0 : values[i];
  else for (let i = from; i < to; i += 1) values[i] = Math.tanh(values[i]);
}
