import type { EngineOptions } from './engine.ts';
import { SlotAllocator } from './slots.ts';

const SLOTS_AT_FIRST = 64;

/** The states of an engine's slots in one typed array of this process, which doubles as slots are handed out, up to `slotsMax`. */
export class SlotStates {
  readonly #slots: SlotAllocator;
  readonly #slotsMax: number;
  readonly #stateSize: number;
  #values: Float32Array;

  constructor(options: EngineOptions & { readonly stateSize: number }) {
    this.#slots = new SlotAllocator(options.slotsMax);
    this.#slotsMax = options.slotsMax;
    this.#stateSize = options.stateSize;
    this.#values = new Float32Array(Math.min(SLOTS_AT_FIRST, options.slotsMax) * options.stateSize);
  }

  /** [slots][stateSize]; another array once `allocate` had to grow it. */
  get values(): Float32Array {
    return this.#values;
  }

  /** A view of one state, [stateSize]. */
  of(slot: number): Float32Array {
    return this.#values.subarray(slot * this.#stateSize, (slot + 1) * this.#stateSize);
  }

  /** A slot with a zero state. Throws RangeError where `slotsMax` are in use. */
  allocate(): number {
    const slot = this.#slots.allocate();
    if (this.#slots.capacity * this.#stateSize > this.#values.length) {
      const grown = new Float32Array(Math.min(this.#values.length * 2, this.#slotsMax * this.#stateSize));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.of(slot).fill(0);
    return slot;
  }

  release(slot: number): void {
    this.#slots.release(slot);
  }

  assertUsed(slots: ArrayLike<number>): void {
    this.#slots.assertAllUsed(slots);
  }

  /** Copies states out, [slots.length][stateSize]. */
  read(slots: ArrayLike<number>, into: Float32Array): void {
    this.#slots.assertFits(slots, this.#stateSize, into);
    for (let i = 0; i < slots.length; i += 1) into.set(this.of(slots[i]), i * this.#stateSize);
  }

  /** Overwrites states, [slots.length][stateSize]. */
  write(slots: ArrayLike<number>, from: Float32Array): void {
    this.#slots.assertFits(slots, this.#stateSize, from);
    for (let i = 0; i < slots.length; i += 1)
      this.of(slots[i]).set(from.subarray(i * this.#stateSize, (i + 1) * this.#stateSize));
  }

  /** Gives the memory back; every slot counts as given back too. */
  dispose(): void {
    this.#slots.releaseAll();
    this.#values = new Float32Array(0);
  }
}
