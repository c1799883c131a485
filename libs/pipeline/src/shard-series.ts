import type { ClosedSequence } from './close-sequences.ts';
import { TIMES, TIMES_SIZE } from './event-times.ts';
import { IdleSweep, type StoredState } from './idle-sweep.ts';
import type { Fence, ShardStore } from './ports.ts';
import type { Shard } from './record.ts';
import type { SeriesMemory } from './series-memory.ts';
import { type IdleRule, isPassedOver, SHARD_CLOCK_KEY, ShardClock, type Watermark } from './shard-clock.ts';

/** Which slot each series of one shard has, and which states are on their way to the store. */
export class ShardSeries {
  readonly #slots = new Map<string, number>();
  /** States of batches whose commit is not finished (null: ended). Newer than the store's. */
  readonly #inFlight = new Map<string, Uint8Array | null>();
  readonly #memory: SeriesMemory;
  readonly #sweep = new IdleSweep();
  /** Series whose states were on their way when the sweep looked at the store. */
  #busy: ReadonlySet<string> = new Set();
  /** The shard's watermark; null where the stream needs none, and until it is read. */
  clock: Watermark | null;

  constructor(memory: SeriesMemory, clock: Watermark | null = null) {
    this.clock = clock;
    this.#memory = memory;
  }

  get size(): number {
    return this.#slots.size;
  }

  slot(key: string): number | undefined {
    return this.#slots.get(key);
  }

  /** Opens the series of `keys` that have no slot, with the state of the newest batch or of the store. */
  async open(
    keys: Iterable<string>,
    from: { readonly store: ShardStore; readonly shard: Shard; readonly fence: Fence },
  ): Promise<void> {
    const unknown: string[] = [];
    for (const key of keys) {
      const slot = this.#slots.get(key);
      if (slot !== undefined) {
        // The map's order is the order of use: the one used last stands last.
        this.#slots.delete(key);
        this.#slots.set(key, slot);
        continue;
      }
      const newest = this.#inFlight.get(key);
      if (newest === undefined) unknown.push(key);
      else this.#slots.set(key, this.#memory.open(newest));
    }
    if (unknown.length === 0) return;
    const states = await from.store.load(from.shard, unknown, from.fence);
    unknown.forEach((key, i) => {
      this.#slots.set(key, this.#memory.open(states[i]));
    });
  }

  /**
   * Series that were passed over when this was asked, of a bounded part of the store; before the first batch the watermark is read, too. `position`: where
   * the batch begins.
   */
  async findIdle(
    from: { readonly store: ShardStore; readonly shard: Shard; readonly fence: Fence; readonly position: number },
    ttlMs: number,
  ): Promise<readonly StoredState[]> {
    if (this.clock === null) {
      const [bytes] = await from.store.load(from.shard, [SHARD_CLOCK_KEY], from.fence);
      this.clock = ShardClock.at(from.position, bytes);
    }
    this.#busy = new Set(this.#inFlight.keys());
    return this.#sweep.look(from, ruleOf(this.clock, ttlMs));
  }

  /** Closes those of `found` that nothing has been heard of since, and returns them as sequences that are over: their states are to be removed. */
  closeIdle(found: readonly StoredState[], touched: ReadonlyMap<string, unknown>, ttlMs: number): ClosedSequence[] {
    if (this.clock === null) return [];
    const rule = ruleOf(this.clock, ttlMs);
    const { times } = this.#memory;
    const idle = new Map<string, ClosedSequence>();
    for (const { key, bytes } of found) {
      if (touched.has(key) || this.#busy.has(key) || idle.has(key)) continue;
      const end = { key, cause: 'silent', by: null } as const;
      const slot = this.#slots.get(key);
      if (slot === undefined) {
        idle.set(key, { ...end, ...(this.#memory.statesIn(bytes) ?? NO_STATES) });
        continue;
      }
      // The stored state is older than the one in memory.
      if (!isPassedOver(rule, times[slot * TIMES_SIZE + TIMES.watermarkMs])) continue;
      this.#slots.delete(key);
      idle.set(key, { ...end, ...this.#memory.statesAt(slot) });
      this.#memory.close(slot);
    }
    return [...idle.values()];
  }

  /** A fresh slot for a series that begins again after its end. */
  begin(key: string): number {
    const slot = this.#memory.open(null);
    this.#slots.set(key, slot);
    return slot;
  }

  /** Forgets the series; the caller closes the slot when its rows are done. */
  end(key: string): void {
    this.#slots.delete(key);
  }

  /**
   * Makes room for the series of `next`: closes the shard's least recently used ones until the memory, which all shards of a stream share, holds at most
   * `seriesMax`, or until only those of `next` are left. Their states are in the store or in flight. Returns how many were closed.
   */
  evict(seriesMax: number, next: ReadonlySet<string>): number {
    let excess = this.#memory.size - seriesMax;
    for (const key of next) if (!this.#slots.has(key)) excess += 1;
    let evicted = 0;
    for (const [key, slot] of this.#slots) {
      if (evicted >= excess) break;
      if (next.has(key)) continue;
      this.#memory.close(slot);
      this.#slots.delete(key);
      evicted += 1;
    }
    return evicted;
  }

  sent(keys: readonly string[], states: readonly Uint8Array[], removed: readonly string[]): void {
    keys.forEach((key, i) => {
      this.#inFlight.set(key, states[i]);
    });
    for (const key of removed) this.#inFlight.set(key, null);
  }

  /** The commit of these very states is done. A newer batch's entry for the same series stays. */
  settled(keys: readonly string[], states: readonly Uint8Array[], removed: readonly string[]): void {
    keys.forEach((key, i) => {
      if (this.#inFlight.get(key) === states[i]) this.#inFlight.delete(key);
    });
    for (const key of removed) if (this.#inFlight.get(key) === null) this.#inFlight.delete(key);
  }

  /** Closes every slot: the states in memory are no longer those of the committed position. */
  clear(): void {
    for (const slot of this.#slots.values()) this.#memory.close(slot);
    this.#slots.clear();
    this.#inFlight.clear();
    this.#sweep.stop();
    this.clock = null;
  }
}

/** What a state of another model has to tell: nothing. */
const NO_STATES = { streamState: new Float64Array(0), state: new Float64Array(0), isQuarantined: true } as const;

function ruleOf({ watermarkMs, sinceMs }: Watermark, ttlMs: number): IdleRule {
  return { ttlMs, watermarkMs, sinceMs };
}
