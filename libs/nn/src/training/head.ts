import { directionsOf, headInputSizeOf, type ModelSpec } from '../model.ts';
import { type Rows, transpose } from './layer.ts';
import type { TrainingMemory } from './products.ts';
import type { TrainingWindow } from './window.ts';

/** Places of the head's tensors. */
export interface HeadPlaces {
  readonly w: number;
  readonly b: number;
}

export interface HeadOptions {
  readonly spec: ModelSpec;
  readonly weights: HeadPlaces;
  readonly gradients: HeadPlaces;
  readonly batchSequences: number;
  readonly windowRows: number;
  readonly reserve: (count: number) => number;
  readonly one: number;
}

/** The dense head, y = W [h, v] + b, on every row; v only with `skipConnection`. */
export class TrainingHead {
  /** [B][T][O]: y, and the gradient that the backward pass starts from. */
  readonly outputs: number;
  readonly outputGradients: number;
  readonly #options: HeadOptions;
  /** [H + V][O] */
  readonly #wT: number;
  /** H + V; H of both directions. */
  readonly #depth: number;
  readonly #hiddenSize: number;

  constructor(options: HeadOptions) {
    const { spec, batchSequences, windowRows, reserve } = options;
    this.#options = options;
    this.outputs = reserve(batchSequences * windowRows * spec.outputSize);
    this.outputGradients = reserve(batchSequences * windowRows * spec.outputSize);
    this.#depth = headInputSizeOf(spec);
    this.#hiddenSize = directionsOf(spec) * spec.hiddenSize;
    this.#wT = reserve(this.#depth * spec.outputSize);
  }

  /** `v` with `skipConnection` only. */
  forward(memory: TrainingMemory, window: TrainingWindow, h: Rows, v: Rows | null): void {
    const { spec, weights, windowRows } = this.#options;
    const { outputSize: n } = spec;
    const hiddenSize = this.#hiddenSize;
    transpose(memory.values, weights.w, this.#wT, { rows: n, columns: this.#depth });
    window.rows.forEach((rows, b) => {
      const out = this.outputs + b * windowRows * n;
      for (let t = 0; t < rows; t += 1) memory.values.copyWithin(out + t * n, weights.b, weights.b + n);
      for (const x of v === null ? [h] : [h, v])
        memory.addProduct({
          ...{ out, outRow: n, x: x.at + b * x.sequenceStep, xRow: x.size, xTerm: 1 },
          ...{ w: this.#wT + (x === h ? 0 : hiddenSize * n), wTerm: n, rows, columns: n, depth: x.size },
        });
    });
  }

  /** Adds the window's gradients of W and b, sequence by sequence, newest row first. */
  addGradients(memory: TrainingMemory, window: TrainingWindow, h: Rows, v: Rows | null): void {
    const { spec, gradients, windowRows, one } = this.#options;
    const { outputSize } = spec;
    const hiddenSize = this.#hiddenSize;
    for (const b of window.batch.order) {
      const depth = window.rows[b];
      if (depth === 0) continue;
      const d = {
        x: this.outputGradients + (b * windowRows + depth - 1) * outputSize,
        ...{ xRow: 1, xTerm: -outputSize, rows: outputSize, depth },
      };
      for (const x of v === null ? [h] : [h, v])
        memory.addProduct({
          ...{ ...d, out: gradients.w + (x === h ? 0 : hiddenSize), outRow: this.#depth, columns: x.size },
          ...{ w: x.at + b * x.sequenceStep + (depth - 1) * x.size, wTerm: -x.size },
        });
      memory.addProduct({ ...d, out: gradients.b, outRow: 1, columns: 1, w: one, wTerm: 0 });
    }
  }

  /** Adds the gradient of row t's h to `out`, [active][H]. */
  addSlope(memory: TrainingMemory, t: number, active: number, out: number): void {
    const { spec, weights, windowRows } = this.#options;
    const { outputSize } = spec;
    const hiddenSize = this.#hiddenSize;
    memory.addProduct({
      ...{ out, outRow: hiddenSize, x: this.outputGradients + t * outputSize, xRow: windowRows * outputSize, xTerm: 1 },
      ...{ w: weights.w, wTerm: this.#depth, rows: active, columns: hiddenSize, depth: outputSize },
    });
  }

  /** Adds the gradient of v to `out`, with `skipConnection`. */
  addBeside(memory: TrainingMemory, window: TrainingWindow, out: Rows): void {
    const { spec, weights, windowRows } = this.#options;
    const { outputSize } = spec;
    const hiddenSize = this.#hiddenSize;
    window.rows.forEach((rows, b) => {
      memory.addProduct({
        ...{ out: out.at + b * out.sequenceStep, outRow: out.size, columns: out.size, rows, depth: outputSize },
        ...{ x: this.outputGradients + b * windowRows * outputSize, xRow: outputSize, xTerm: 1 },
        ...{ w: weights.w + hiddenSize, wTerm: this.#depth },
      });
    });
  }
}
