import assert from 'node:assert/strict';

/** Hands out slot numbers up to a bound; the one given back last goes first, its memory is still warm. */
export class SlotAllocator {
  readonly #slotsMax: number;
  readonly #free: number[] = [];
  #used: Uint8Array = new Uint8Array(64);
  #next = 0;

  constructor(slotsMax: number) {
    assert(Number.isInteger(slotsMax) && slotsMax > 0, `slotsMax is ${slotsMax}, must be a whole number above 0.`);
    this.#slotsMax = slotsMax;
  }

  /** Slots ever handed out: the memory that they need. */
  get capacity(): number {
    return this.#next;
  }

  allocate(): number {
    const slot = this.#free.pop() ?? this.#next;
    if (slot >= this.#slotsMax)
      throw new RangeError(`All ${this.#slotsMax} slots are in use: raise slotsMax or keep fewer series in memory.`);
    if (slot === this.#next) this.#next += 1;
    if (slot >= this.#used.length) {
      const grown = new Uint8Array(this.#used.length * 2);
      grown.set(this.#used);
      this.#used = grown;
    }
    this.#used[slot] = 1;
    return slot;
  }

  release(slot: number): void {
    this.assertUsed(slot);
    this.#used[slot] = 0;
    this.#free.push(slot);
  }

  releaseAll(): void {
    this.#used.fill(0);
    this.#free.length = 0;
    this.#next = 0;
  }

  /** Throws AssertionError where the slot is not in use. The messages are built only on failure: a step checks each of its slots. */
  assertUsed(slot: number): void {
    if (!(slot < this.#next && this.#used[slot] === 1)) assert.fail(`Slot ${slot} is not in use.`);
  }

  assertAllUsed(slots: ArrayLike<number>): void {
    for (let i = 0; i < slots.length; i += 1) this.assertUsed(slots[i]);
  }

  /** Throws AssertionError unless the slots are in use and `states` has room for [slots.length][stateSize]. */
  assertFits(slots: ArrayLike<number>, stateSize: number, states: Float32Array): void {
    this.assertAllUsed(slots);
    const needed = slots.length * stateSize;
    if (states.length < needed)
      assert.fail(`${slots.length} states need ${needed} values, there is room for ${states.length}.`);
  }
}
