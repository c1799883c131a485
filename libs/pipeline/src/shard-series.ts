import type { Fence, ShardStore } from './ports.ts';
import type { Shard } from './record.ts';
import type { SeriesMemory } from './series-memory.ts';

/** Which slot each series of one shard has, and which states are on their way to the store. */
export class ShardSeries {
  readonly #slots = new Map<string, number>();
  /** States of batches whose commit is not finished (null: ended). Newer than the store's. */
  readonly #inFlight = new Map<string, Uint8Array | null>();
  readonly #memory: SeriesMemory;

  constructor(memory: SeriesMemory) {
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
  }
}
