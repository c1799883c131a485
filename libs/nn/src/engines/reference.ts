import { dot } from '../cells/affine.ts';
import type { CellStep } from '../cells/cell.ts';
import { cellOf, scratchSizeOf } from '../cells/cell-of.ts';
import { assertServes, type Engine, type EngineOptions } from '../engine.ts';
import { type Model, recurrentInputSizeOf, stateSizeOf } from '../model.ts';
import { SlotStates } from '../slot-states.ts';
import { assertPaired, assertRows } from './batch-checks.ts';

/**
 * The clear reference: the cells' equations in plain TypeScript, row by row, in double with float32 states. It uses no processor-specific
 * arithmetic (Math.exp and Math.tanh are V8's own ports of fdlibm), so its bits are the same on every machine; other engines are measured
 * against it.
 */
export function createReferenceEngine(model: Model, options: EngineOptions): Engine {
  return new ReferenceEngine(model, options);
}

class ReferenceEngine implements Engine {
  readonly name = 'reference';
  readonly modelName: string;
  readonly modelDigest: string;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly stateSize: number;
  readonly #model: Model;
  readonly #states: SlotStates;
  readonly #cell: (step: CellStep) => void;
  readonly #scratch: Float64Array;
  /** What the first recurrent layer reads, where it is not the inputs themselves; float32, as the other layers' outputs. */
  readonly #projected: Float32Array;

  constructor(model: Model, options: EngineOptions) {
    const { spec } = model;
    assertServes(this.name, spec, ['peephole', 'layerNorm', 'inputLayer', 'skipConnection']);
    this.#model = model;
    this.modelName = spec.name;
    this.modelDigest = model.digest;
    this.inputSize = spec.inputSize;
    this.outputSize = spec.outputSize;
    this.stateSize = stateSizeOf(spec);
    this.#states = new SlotStates({ slotsMax: options.slotsMax, stateSize: this.stateSize });
    this.#cell = cellOf(spec);
    this.#scratch = new Float64Array(scratchSizeOf(spec));
    this.#projected = new Float32Array(spec.inputLayer ?? 0);
  }

  allocate(): number {
    return this.#states.allocate();
  }

  release(slot: number): void {
    this.#states.release(slot);
  }

  step(batch: Parameters<Engine['step']>[0]): void {
    const { slots, rows, inputs, outputs } = batch;
    assertPaired(batch);
    // All is checked before anything is advanced: a failed step changes nothing.
    this.#states.assertUsed(slots);
    assertRows(this, batch);
    for (let i = 0; i < slots.length; i += 1) this.#advance(slots[i], rows[i], inputs, outputs);
  }

  run(sequence: Parameters<Engine['run']>[0]): void {
    const { slot, rows, inputs, outputs } = sequence;
    this.#states.assertUsed([slot]);
    assertRows(this, sequence);
    for (const row of rows) this.#advance(slot, row, inputs, outputs);
  }

  readStates(slots: ArrayLike<number>, into: Float32Array): void {
    this.#states.read(slots, into);
  }

  writeStates(slots: ArrayLike<number>, from: Float32Array): void {
    this.#states.write(slots, from);
  }

  dispose(): void {
    this.#states.dispose();
  }

  #advance(slot: number, row: number, inputs: Float32Array, outputs: Float32Array): void {
    const { spec, weights } = this.#model;
    const { hiddenSize, layers } = spec;
    const state = this.#states.values;
    const base = slot * this.stateSize;
    const project = spec.inputLayer !== undefined;
    if (project) this.#project(inputs, row * spec.inputSize);
    const v = project ? this.#projected : inputs;
    const vAt = project ? 0 : row * spec.inputSize;
    const vSize = recurrentInputSizeOf(spec);
    let x = v;
    let xAt = vAt;
    let inputSize = vSize;
    for (let layer = 0; layer < layers; layer += 1) {
      const hAt = base + layer * hiddenSize;
      const cAt = hAt + layers * hiddenSize;
      this.#cell({
        weights: weights.layers[layer],
        inputSize,
        hiddenSize,
        x,
        xAt,
        state,
        hAt,
        cAt,
        scratch: this.#scratch,
      });
      x = state;
      xAt = hAt;
      inputSize = hiddenSize;
    }
    const headSize = hiddenSize + (spec.skipConnection ? vSize : 0);
    for (let o = 0; o < spec.outputSize; o += 1) {
      const y = weights.headB[o] + dot(weights.headW, o * headSize, x, xAt, hiddenSize);
      const beside = spec.skipConnection ? dot(weights.headW, o * headSize + hiddenSize, v, vAt, vSize) : 0;
      outputs[row * spec.outputSize + o] = y + beside;
    }
  }

  #project(inputs: Float32Array, at: number): void {
    const { spec, weights } = this.#model;
    const { inputW, inputB } = weights;
    if (!inputW || !inputB) return;
    const activate = spec.inputActivation === 'relu' ? rectified : Math.tanh;
    for (let i = 0; i < this.#projected.length; i += 1)
      this.#projected[i] = activate(inputB[i] + dot(inputW, i * spec.inputSize, inputs, at, spec.inputSize));
  }
}

function rectified(sum: number): number {
  return sum < 0 ? 0 : sum;
}
