import { assertServes, type Engine, type EngineOptions, type NetworkForm } from '../../engine.ts';
import { type Model, stateSizeOf } from '../../model.ts';
import { SlotAllocator } from '../../slots.ts';
import { assertPaired, assertRows } from '../batch-checks.ts';
import { type KernelChoice, loadKernel } from './choose-kernel.ts';
import type { Kernel } from './kernel.ts';
import { createProgram, type Program } from './program.ts';

/** What the kernel steps beyond the plain network. */
export const SIMD_FORMS = ['peephole', 'inputLayer', 'skipConnection'] as const satisfies readonly NetworkForm[];
const PAGE_BYTES = 65_536;
const PAGES_MAX = 65_536;
const TILE_MIN = 8;
const TILE_MAX = 128;
/** Inputs and states of a tile stay in the second cache; the more rows, the fewer times the weights are read (measured: 16 KiB is 2 to 10 % slower). */
const TILE_BYTES = 131_072;

/**
 * The fused kernel over states in its own memory, `best` unless another is asked for. Throws Error with the cure where the kernel is not compiled,
 * ModelError where the model has a form that it does not step.
 */
export function createSimdEngine(model: Model, options: EngineOptions & { readonly kernel?: KernelChoice }): Engine {
  const { kernel = 'best' } = options;
  return new SimdEngine(model, options, (memory) => loadKernel(kernel, memory));
}

class SimdEngine implements Engine {
  readonly name: string;
  readonly modelName: string;
  readonly modelDigest: string;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly stateSize: number;
  readonly #allocator: SlotAllocator;
  readonly #memory: WebAssembly.Memory;
  readonly #kernel: Kernel;
  readonly #program: Program;
  readonly #hiddenSize: number;
  #floats: Float32Array;
  #slots: Uint32Array;

  constructor(model: Model, options: EngineOptions, load: (memory: WebAssembly.Memory) => Kernel) {
    const { spec } = model;
    assertServes('simd', spec, SIMD_FORMS);
    this.modelName = spec.name;
    this.modelDigest = model.digest;
    this.inputSize = spec.inputSize;
    this.outputSize = spec.outputSize;
    this.stateSize = stateSizeOf(spec);
    this.#hiddenSize = spec.hiddenSize;
    this.#allocator = new SlotAllocator(options.slotsMax);
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX });
    this.#kernel = load(this.#memory);
    this.name = this.#kernel.name;
    this.#program = createProgram(
      model,
      this.#kernel.lanes,
      tileOf(spec.inputSize + (spec.inputLayer ?? 0) + spec.hiddenSize),
    );
    this.#reserve(this.#program.states);
    this.#program.write(this.#memory);
    this.#floats = new Float32Array(this.#memory.buffer);
    this.#slots = new Uint32Array(this.#memory.buffer, this.#program.slots, this.#program.tile);
  }

  allocate(): number {
    const slot = this.#allocator.allocate();
    const { states, stride } = this.#program;
    this.#reserve(states + (slot + 1) * stride);
    this.#floats.fill(0, (states + slot * stride) / 4, (states + (slot + 1) * stride) / 4);
    return slot;
  }

  release(slot: number): void {
    this.#allocator.release(slot);
  }

  step(batch: Parameters<Engine['step']>[0]): void {
    const { slots, rows, inputs, outputs } = batch;
    assertPaired(batch);
    // All is checked before anything is advanced: a failed step changes nothing.
    this.#allocator.assertAllUsed(slots);
    assertRows(this, batch);
    const { address, tile } = this.#program;
    for (let from = 0; from < rows.length; from += tile) {
      const n = Math.min(tile, rows.length - from);
      for (let i = 0; i < n; i += 1) this.#slots[i] = slots[from + i];
      this.#gather(rows, from, n, inputs);
      this.#kernel.step(address, n);
      this.#scatter(rows, from, n, outputs);
    }
  }

  run(sequence: Parameters<Engine['run']>[0]): void {
    const { slot, rows, inputs, outputs } = sequence;
    this.#allocator.assertUsed(slot);
    assertRows(this, sequence);
    const { address, tile } = this.#program;
    this.#slots[0] = slot;
    for (let from = 0; from < rows.length; from += tile) {
      const n = Math.min(tile, rows.length - from);
      this.#gather(rows, from, n, inputs);
      this.#kernel.run(address, n);
      this.#scatter(rows, from, n, outputs);
    }
  }

  readStates(slots: ArrayLike<number>, into: Float32Array): void {
    this.#allocator.assertFits(slots, this.stateSize, into);
    const floats = this.#floats;
    this.#eachPart(slots, (inMemory, outside, size) => {
      into.set(floats.subarray(inMemory, inMemory + size), outside);
    });
  }

  writeStates(slots: ArrayLike<number>, from: Float32Array): void {
    this.#allocator.assertFits(slots, this.stateSize, from);
    const floats = this.#floats;
    this.#eachPart(slots, (inMemory, outside, size) => {
      floats.set(from.subarray(outside, outside + size), inMemory);
    });
  }

  dispose(): void {
    this.#allocator.releaseAll();
    this.#floats = new Float32Array(0);
    this.#slots = new Uint32Array(0);
  }

  #gather(rows: Uint32Array, from: number, n: number, inputs: Float32Array): void {
    const { inputSize } = this;
    const floats = this.#floats;
    const first = this.#program.inputs / 4;
    let to = first;
    // A sum, not a branch for each value: 0 while all are finite, NaN then.
    let unfit = 0;
    for (let i = 0; i < n; i += 1) {
      const at = rows[from + i] * inputSize;
      for (let k = 0; k < inputSize; k += 1) {
        const value = inputs[at + k];
        floats[to + k] = value;
        unfit += value - value;
      }
      to += inputSize;
    }
    // An infinity times the zero weight of a padded unit is NaN: it is one from the start, so that every vector width says the same.
    if (unfit !== 0) for (let at = first; at < to; at += 1) if (!Number.isFinite(floats[at])) floats[at] = Number.NaN;
  }

  #scatter(rows: Uint32Array, from: number, n: number, outputs: Float32Array): void {
    const { outputSize } = this;
    const { headPlaces } = this.#program;
    const floats = this.#floats;
    let at = this.#program.outputs / 4;
    for (let i = 0; i < n; i += 1) {
      const to = rows[from + i] * outputSize;
      for (let k = 0; k < outputSize; k += 1) outputs[to + k] = floats[at + k];
      at += headPlaces;
    }
  }

  /** Every h and c of the slots: its place in memory, its place in a dense array of states, its size. */
  #eachPart(slots: ArrayLike<number>, visit: (inMemory: number, outside: number, size: number) => void): void {
    const { states, stride, hidden } = this.#program;
    // Without padding a state is one piece.
    const whole = hidden === this.#hiddenSize;
    const size = whole ? this.stateSize : this.#hiddenSize;
    const parts = this.stateSize / size;
    for (let i = 0; i < slots.length; i += 1)
      for (let part = 0; part < parts; part += 1)
        visit((states + slots[i] * stride) / 4 + part * hidden, i * this.stateSize + part * size, size);
  }

  /** Grows the memory to `bytes` at least, by doubling. Throws RangeError beyond 4 GiB. */
  #reserve(bytes: number): void {
    const { buffer } = this.#memory;
    if (bytes <= buffer.byteLength) return;
    const pages = Math.min(PAGES_MAX, Math.max(Math.ceil(bytes / PAGE_BYTES), (buffer.byteLength / PAGE_BYTES) * 2));
    if (pages * PAGE_BYTES < bytes)
      throw new RangeError(`States of ${bytes} bytes do not fit into the kernel's 4 GiB: lower slotsMax.`);
    this.#memory.grow(pages - buffer.byteLength / PAGE_BYTES);
    this.#kernel.attach();
    this.#floats = new Float32Array(this.#memory.buffer);
    this.#slots = new Uint32Array(this.#memory.buffer, this.#program.slots, this.#program.tile);
  }
}

function tileOf(floatsOfRow: number): number {
  const rows = Math.floor(TILE_BYTES / (4 * floatsOfRow) / 2) * 2;
  return Math.max(TILE_MIN, Math.min(TILE_MAX, rows));
}
