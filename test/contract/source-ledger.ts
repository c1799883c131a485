/** A handler that keeps what it is given, as a shard store would: it knows its head and refuses what does not join on to it. */
import assert from 'node:assert/strict';
import { BEGINNING, type Shard, type SourceHandler, shardName } from '@tideline/pipeline';
import { eventually } from '../stack/index.ts';

interface LedgerShard {
  head: number | null;
  readonly offsets: number[];
  readonly keys: string[];
  readonly values: string[];
}

export interface Ledger {
  readonly handler: SourceHandler;
  /** For the source's `onError`: fails the next `holds`. */
  readonly onError: (error: Error) => void;
  /** Waits until so many records are held. */
  holds(records: number): Promise<void>;
  /** Records handed over, again and again delivered ones counted each time. */
  deliveries(): number;
  shards(): readonly LedgerShard[];
  valuesOf(key: string): string[];
  /** Forgets the last records of every shard; how many. */
  forgetLast(records: number): number;
  forgetAll(shard: Shard): void;
}

export function createLedger(): Ledger {
  const shards = new Map<string, LedgerShard>();
  let deliveries = 0;
  let failure: Error | null = null;
  const shardOf = (shard: Shard): LedgerShard => {
    const name = shardName(shard);
    const known = shards.get(name) ?? { head: null, offsets: [], keys: [], values: [] };
    shards.set(name, known);
    return known;
  };
  const held = () => [...shards.values()].reduce((sum, { offsets }) => sum + offsets.length, 0);
  const cut = (shard: LedgerShard, length: number) => {
    for (const column of [shard.offsets, shard.keys, shard.values]) column.splice(length);
  };
  return {
    onError: (error) => {
      failure = error;
    },
    handler: {
      start: async (shard) => shardOf(shard).head,
      async batch({ shard, from, next, records }) {
        const entry = shardOf(shard);
        if (entry.head !== null && from !== entry.head) return { seek: entry.head };
        if (entry.head === null && from !== 0) return { seek: BEGINNING };
        assert.ok(next > from && records.every(({ offset }) => offset >= from && offset < next));
        for (const { offset, key, value } of records) {
          entry.offsets.push(offset);
          entry.keys.push(Buffer.from(key ?? []).toString());
          entry.values.push(Buffer.from(value ?? []).toString());
        }
        entry.head = next;
        deliveries += records.length;
        return { seek: null };
      },
    },
    async holds(records) {
      await eventually(`${records} records are held`, () => {
        if (failure !== null) throw failure;
        assert.ok(held() <= records, `${held()} records are held, ${records} were written`);
        return held() === records;
      });
    },
    deliveries: () => deliveries,
    shards: () => [...shards.values()],
    valuesOf: (key) =>
      [...shards.values()].flatMap(({ keys, values }) => values.filter((_, index) => keys[index] === key)),
    forgetLast(records) {
      let lost = 0;
      for (const shard of shards.values()) {
        const kept = Math.max(0, shard.offsets.length - records);
        lost += shard.offsets.length - kept;
        if (kept < shard.offsets.length) shard.head = shard.offsets[kept];
        cut(shard, kept);
      }
      return lost;
    },
    forgetAll(shard) {
      const entry = shardOf(shard);
      entry.head = null;
      cut(entry, 0);
    },
  };
}
