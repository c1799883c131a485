import type { EngineOptions } from '../../../engine.ts';
import { SlotAllocator } from '../../../slots.ts';
import { FEEDS, FETCHES } from './program.ts';
import type { Session } from './session.ts';

const SLOTS_AT_FIRST = 64;
/** Written states that wait in this process for the next use of the device; one transfer takes them all. */
const WAITING_MAX = 1024;
const ROWS_A_READ = 4096;
/** Always zeros: where a slot begins, and what the empty rows of a tile read. */
export const ZERO_ROW = 0;
/** What the empty rows of a tile write; never read. */
export const SCRATCH_ROW = 1;
const ROWS_RESERVED = 2;

/**
 * The states of an engine's slots in a variable on the device, which doubles as slots are handed out, up to `slotsMax`.
 *
 * A slot has two rows and a number that says which is in force: a step reads the one and writes the other, and `commit` swaps them once all of
 * the step has succeeded. So a failed step changes nothing, and a new slot costs the device nothing: it begins at the row of zeros.
 */
export class ResidentStates {
  readonly #session: Session;
  readonly #slots: SlotAllocator;
  readonly #slotsMax: number;
  readonly #stateSize: number;
  readonly #waiting = new Map<number, Float32Array>();
  #current = new Int32Array(SLOTS_AT_FIRST);
  #rows = 0;

  constructor(options: EngineOptions & { readonly session: Session; readonly stateSize: number }) {
    this.#session = options.session;
    this.#slots = new SlotAllocator(options.slotsMax);
    this.#slotsMax = options.slotsMax;
    this.#stateSize = options.stateSize;
  }

  /** A slot with a zero state. Throws RangeError where `slotsMax` are in use. */
  allocate(): number {
    const slot = this.#slots.allocate();
    if (slot >= this.#current.length) {
      const grown = new Int32Array(this.#current.length * 2);
      grown.set(this.#current);
      this.#current = grown;
    }
    this.#current[slot] = ZERO_ROW;
    return slot;
  }

  release(slot: number): void {
    this.#slots.release(slot);
    this.#waiting.delete(slot);
  }

  assertUsed(slots: ArrayLike<number>): void {
    this.#slots.assertAllUsed(slots);
  }

  /** To be called before rows are used: what was allocated and written is on the device afterwards. */
  prepare(): void {
    this.#grow();
    if (this.#waiting.size === 0) return;
    const slots = [...this.#waiting.keys()];
    const values = new Float32Array(slots.length * this.#stateSize);
    slots.forEach((slot, i) => {
      values.set(this.#waiting.get(slot) ?? [], i * this.#stateSize);
    });
    const to = Int32Array.from(slots, (slot) => this.rowAfter(slot));
    this.#session.run(
      [
        { name: FEEDS.states, shape: [slots.length, this.#stateSize], values },
        { name: FEEDS.to, shape: [slots.length], values: to },
      ],
      FETCHES.written,
    );
    this.commit(slots);
    this.#waiting.clear();
  }

  /** The row in force. */
  rowOf(slot: number): number {
    return this.#current[slot];
  }

  /** The row that a step writes. */
  rowAfter(slot: number): number {
    const first = ROWS_RESERVED + 2 * slot;
    return this.#current[slot] === first ? first + 1 : first;
  }

  /** Puts in force what was written to `rowAfter`. */
  commit(slots: ArrayLike<number>): void {
    for (let i = 0; i < slots.length; i += 1) this.#current[slots[i]] = this.rowAfter(slots[i]);
  }

  /** Copies states out, [slots.length][stateSize]. */
  read(slots: ArrayLike<number>, into: Float32Array): void {
    this.#slots.assertFits(slots, this.#stateSize, into);
    this.prepare();
    for (let at = 0; at < slots.length; at += ROWS_A_READ) {
      const count = Math.min(ROWS_A_READ, slots.length - at);
      const values = Int32Array.from({ length: count }, (_, i) => this.rowOf(slots[at + i]));
      into.set(this.#session.run([{ name: FEEDS.from, shape: [count], values }], FETCHES.read), at * this.#stateSize);
    }
  }

  /** Overwrites states, [slots.length][stateSize]. */
  write(slots: ArrayLike<number>, from: Float32Array): void {
    this.#slots.assertFits(slots, this.#stateSize, from);
    for (let i = 0; i < slots.length; i += 1)
      this.#waiting.set(slots[i], from.slice(i * this.#stateSize, (i + 1) * this.#stateSize));
    if (this.#waiting.size > WAITING_MAX) this.prepare();
  }

  /** Every slot counts as given back; the variable goes with the session. */
  dispose(): void {
    this.#slots.releaseAll();
    this.#waiting.clear();
    this.#current = new Int32Array(0);
  }

  /** The variable has rows for every slot ever handed out. */
  #grow(): void {
    const needed = ROWS_RESERVED + 2 * this.#slots.capacity;
    if (needed <= this.#rows) return;
    const slots = Math.min(this.#slotsMax, Math.max(this.#slots.capacity, SLOTS_AT_FIRST, this.#rows - ROWS_RESERVED));
    const rows = ROWS_RESERVED + 2 * slots;
    const feed = { name: FEEDS.rows, shape: [1], values: Int32Array.of(rows - this.#rows) };
    this.#session.run([feed], this.#rows === 0 ? FETCHES.made : FETCHES.grown);
    this.#rows = rows;
  }
}
