import { dot } from '../cells/affine.ts';
import type { CellStep } from '../cells/cell.ts';
import { cellOf, scratchSizeOf } from '../cells/cell-of.ts';
import { assertServes, type Engine, type EngineOptions } from '../engine.ts';
import { type Model, stateSizeOf } from '../model.ts';
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

  constructor(model: Model, options: EngineOptions) {
    const { spec } = model;
    assertServes(this.name, spec, ['peephole', 'layerNorm']);
    this.#model = model;
    this.modelName = spec.name;
    this.modelDigest = model.digest;
    this.inputSize = spec.inputSize;
    this.outputSize = spec.outputSize;
    this.stateSize = stateSizeOf(spec);
    this.#states = new SlotStates({ slotsMax: options.slotsMax, stateSize: this.stateSize });
    this.#cell = cellOf(spec);
    this.#scratch = new Float64Array(scratchSizeOf(spec));
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
    let x: Float32Array = inputs;
    let xAt = row * spec.inputSize;
    let inputSize = spec.inputSize;
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
    for (let o = 0; o < spec.outputSize; o += 1)
      outputs[row * spec.outputSize + o] = weights.headB[o] + dot(weights.headW, o * hiddenSize, x, xAt, hiddenSize);
  }
}
