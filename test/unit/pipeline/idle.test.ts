/** Series that fall silent: they start anew by the records alone, whenever their stored state was removed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  pointIdentity,
  type RawRecord,
  REBUILD_SLOTS,
  SeriesRebuild,
  SHARD_CLOCK_KEY,
  ShardClock,
  type Stream,
  splitLine,
} from '@tideline/pipeline';
import fc from 'fast-check';
import { createChainEngine } from '../../simulation/chain-engine.ts';
import { expectChain } from '../../simulation/chain-oracle.ts';
import { type ChainKind, createChainStream } from '../../simulation/chain-stream.ts';
import { runRecords, SHARD } from './order-run.ts';

const TS = 1_700_000_000_000;
const TTL_MS = 50;
/** Where the watermark stands in a state's hex digits; the oracle of the simulation knows none. */
const WATERMARK_AT = 2 * 40;

interface Event {
  readonly key: string;
  readonly kind: ChainKind;
  readonly ts: number;
}

/** Event times that go forwards on the whole, in steps and leaps, with some that go back and one series whose clock is far ahead. */
const EVENTS = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'wrong'),
      kind: fc.constantFrom<ChainKind>('step', 'step', 'step', 'step', 'skip', 'end'),
      forward: fc.constantFrom(0, 1, 3, 8, 20, 45, 70),
      back: fc.constantFrom(0, 0, 0, 5, 60),
    }),
    { minLength: 30, maxLength: 90 },
  )
  .map((drawn) => {
    let now = TS;
    return drawn.map(({ key, kind, forward, back }): Event => {
      now += forward;
      return { key, kind, ts: key === 'wrong' ? now + 1e9 : now - back };
    });
  });

const recordOf = ({ key, kind, ts }: Event, offset: number): RawRecord => ({
  offset,
  key: Buffer.from(key),
  value: Buffer.from(JSON.stringify({ key, kind, value: offset, ts })),
  timestampMs: 0,
  headers: {},
});

const streamOf = (): Stream => ({ ...createChainStream(), idleTtlMs: TTL_MS });

/** The second largest of the series' newest times. */
function watermarkOf(newest: ReadonlyMap<string, number>): number {
  return [...newest.values()].sort((a, b) => b - a)[1] ?? Number.NEGATIVE_INFINITY;
}

/** The rule in its plainest form. A series that starts anew is told to the simulation's oracle as an end before its record. */
function expected(events: readonly Event[]) {
  const newest = new Map<string, number>();
  const live = new Map<string, { heard: number; taken: number }>();
  let since = Number.NEGATIVE_INFINITY;
  let restarts = 0;
  const records: RawRecord[] = [];
  const passedOver = (watermark: number, taken: number): boolean => watermark - Math.max(taken, since) > TTL_MS;
  events.forEach((event, i) => {
    const { key, kind, ts } = event;
    const known = live.get(key);
    if (known && (ts - known.heard > TTL_MS || passedOver(watermarkOf(newest), known.taken))) {
      records.push(recordOf({ ...event, kind: 'end' }, 3 * i - 1));
      live.delete(key);
      restarts += 1;
    }
    records.push(recordOf(event, 3 * i));
    newest.set(key, Math.max(ts, newest.get(key) ?? ts));
    const taken = watermarkOf(newest);
    if (since === Number.NEGATIVE_INFINITY) since = taken;
    if (kind === 'end') live.delete(key);
    else live.set(key, { heard: Math.max(ts, live.get(key)?.heard ?? ts), taken });
  });
  const points = new Map<string, string>();
  const sim = records.map((record) => ({ atMs: 0, record }));
  const { states } = expectChain({ shard: SHARD, low: 0, records: sim }, points);
  const watermark = watermarkOf(newest);
  const kept = new Map(
    [...live].map(([key, { taken }]) => {
      const bytes = Buffer.from(states.get(key)?.at(-1)?.bytes ?? []);
      bytes.writeDoubleLE(taken, WATERMARK_AT / 2);
      return [key, { hex: bytes.toString('hex'), isOver: passedOver(watermark, taken) }] as const;
    }),
  );
  return { points, kept, restarts, watermark };
}

async function rebuilt(key: string, events: readonly Event[]): Promise<string> {
  const rebuild = new SeriesRebuild({
    ...{
      shard: SHARD,
      key,
      stream: streamOf(),
      engine: createChainEngine({ slotsMax: REBUILD_SLOTS }),
      onPoison: 'skip',
    },
    write: async () => undefined,
  });
  events.forEach((event, i) => {
    rebuild.add(recordOf(event, 3 * i));
  });
  await rebuild.advance(3 * events.length);
  return Buffer.from(rebuild.state ?? []).toString('hex');
}

test('what a silent series makes of its next record depends on no batch, no sweep, no worker and no crash', async () => {
  const seen = { crashes: 0, restarts: 0, swept: 0 };
  await fc.assert(
    fc.asyncProperty(EVENTS, fc.nat(), fc.constantFrom(2, 100), async (events, seed, seriesMax) => {
      let state = seed;
      const draw = (below: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
        return (state >> 8) % below;
      };
      const { points, kept, restarts, watermark } = expected(events);
      const result = await runRecords(
        events.map((event, i) => recordOf(event, 3 * i)),
        { stream: streamOf(), newEngine: () => createChainEngine({ slotsMax: 100 }), draw, writesACrash: 3, seriesMax },
      );
      const found = new Map(result.lines.map((line) => [pointIdentity(line), splitLine(line).fields]));
      assert.deepEqual(found, points);
      const states = new Map(result.states);
      const clock = Buffer.from(states.get(SHARD_CLOCK_KEY) ?? '', 'hex');
      states.delete(SHARD_CLOCK_KEY);
      assert.equal(ShardClock.at(3 * (events.length - 1) + 1, clock).watermarkMs, watermark);
      for (const [key, hex] of states) assert.equal(hex, kept.get(key)?.hex, `state of ${key}`);
      // 'tideline state reset KEY --replay' comes to the same states from the records alone.
      for (const [key, { hex }] of kept) assert.equal(await rebuilt(key, events), hex, `rebuilt state of ${key}`);
      for (const [key, { isOver }] of kept) assert.ok(states.has(key) || isOver, `${key} was removed too early`);
      seen.crashes += result.crashes;
      seen.restarts += restarts;
      seen.swept += kept.size - states.size;
    }),
    { numRuns: 120 },
  );
  assert.ok(seen.crashes > 100 && seen.restarts > 300 && seen.swept > 10, JSON.stringify(seen));
});

test('states of series that never speak again are removed, a bounded part of the store at a time', async () => {
  const silent = Array.from({ length: 1_000 }, (_, i): Event => ({ key: `s${i}`, kind: 'step', ts: TS + (i % 10) }));
  const later = Array.from({ length: 60 }, (_, i): Event => ({ key: `t${i % 3}`, kind: 'step', ts: TS + 100 + i }));
  const sizes: number[] = [];
  const { states } = await runRecords(
    [...silent, ...later].map((event, i) => recordOf(event, 3 * i)),
    {
      ...{ stream: streamOf(), newEngine: () => createChainEngine({ slotsMax: 2_000 }), draw: () => 0 },
      ...{ writesACrash: 0, sizes: [10, 10, 1], seriesMax: 500 },
      onCommitted: async (store) => void sizes.push((await store.status())[0].series),
    },
  );
  assert.deepEqual([...states.keys()].sort(), [SHARD_CLOCK_KEY, 't0', 't1', 't2']);
  const drops = sizes.map((size, i) => (i === 0 ? 0 : sizes[i - 1] - size));
  assert.ok(Math.max(...drops) > 200 && Math.max(...drops) <= 256, String(Math.max(...drops)));
});

test('one series whose clock is wrong moves no other one', () => {
  const clock = new ShardClock();
  const observe = (key: string, ms: number) =>
    clock.observe({ keys: [key], keyOf: Uint32Array.of(0), timeMs: Float64Array.of(ms) } as never, 0);
  observe('a', TS);
  assert.equal(observe('wrong', TS + 1e12), TS);
  assert.equal(observe('wrong', TS + 2e12), TS);
  assert.equal(observe('b', TS + 5), TS + 5);
  assert.equal(observe('a', TS - 5), TS + 5, 'it never goes back');
  assert.equal(
    ShardClock.at(7, clock.stateAt(7)).observe({ keys: ['c'], keyOf: [0], timeMs: [TS + 9] } as never, 0),
    TS + 9,
  );
  assert.equal(
    ShardClock.at(8, clock.stateAt(7)).watermarkMs,
    Number.NEGATIVE_INFINITY,
    'that of another position is none',
  );
});
