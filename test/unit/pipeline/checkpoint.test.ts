import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCheckpointLog } from '@tideline/adapters';
import { type Checkpoint, type CheckpointLog, shardName } from '@tideline/pipeline';
import fc from 'fast-check';
import { CheckpointWorld, type Faults, SHARD } from './checkpoint-world.ts';

const ALL: Faults = { crash: 0.04, otherIngest: 0.08, rollback: 0.02, reset: 0.04 };
const NONE: Faults = { crash: 0, otherIngest: 0, rollback: 0, reset: 0 };
const RUNS = 200;
const CHECKPOINTS = 12;

/** Numbers in [0, 1) from a seed (mulberry32). */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function runSeeds(faults: Faults, createLog: () => CheckpointLog, runs = RUNS): Promise<Record<string, number>> {
  const sum: Record<string, number> = {};
  const property = fc.asyncProperty(fc.integer(), async (seed) => {
    const world = new CheckpointWorld(chance(seed), faults, createLog());
    await world.run(CHECKPOINTS);
    for (const [what, count] of Object.entries(world.counts)) sum[what] = (sum[what] ?? 0) + count;
  });
  await fc.assert(property, { numRuns: runs, endOnFailure: true, includeErrorInReport: true });
  return sum;
}

const PROMISE =
  'cut at any record, with two ingests, resets and roll-backs of the store, the newest checkpoint is what the shard was at its position';

test(PROMISE, async (t) => {
  const counts = await runSeeds(ALL, createMemoryCheckpointLog);
  t.diagnostic(JSON.stringify(counts));
  for (const what of ['written', 'fenced or crashed', 'crash', 'reset', 'rollback', 'behind', 'foreign', 'unsettled'])
    assert(counts[what] > 0, `it happened: ${what}`);
});

test('without faults every checkpoint beside a running owner is written', async () => {
  const counts = await runSeeds(NONE, createMemoryCheckpointLog, 50);
  assert.deepEqual(
    Object.keys(counts).filter((what) => what !== 'written' && what !== 'unchanged'),
    [],
  );
});

test('the check is one: a log that shows what is not complete yet fails it', async () => {
  await assert.rejects(
    runSeeds(ALL, () => tornLog({ atomic: false, fencing: true })),
    /Property failed/,
  );
});

test('the check is one: a log that lets a writer of before go on fails it', async () => {
  await assert.rejects(
    runSeeds(ALL, () => tornLog({ atomic: true, fencing: false })),
    /Property failed/,
  );
});

/** A compacted topic without transactions, or with transactions that nobody is fenced from. */
function tornLog(options: { readonly atomic: boolean; readonly fencing: boolean }): CheckpointLog {
  const log = createMemoryCheckpointLog();
  let shown: Checkpoint | null = null;
  return {
    async begin(shard) {
      const writer = options.fencing ? await log.begin(shard) : null;
      const mine: { key: string; bytes: Uint8Array | null }[] = [];
      const show = (change: (typeof mine)[number]): void => {
        const states = new Map(shown?.states);
        if (change.bytes === null) states.delete(change.key);
        else states.set(change.key, change.bytes);
        if (shown !== null) shown = { ...shown, states };
      };
      return {
        async write(changes) {
          await writer?.write([]);
          mine.push(...changes);
          if (!options.atomic) changes.forEach(show);
        },
        async commit(marker) {
          await writer?.write([]);
          shown = { marker, states: shown?.states ?? new Map() };
          mine.forEach(show);
          mine.length = 0;
        },
        async close() {},
      };
    },
    read: async () => new Map(shown === null ? [] : [[shardName(SHARD), shown]]),
    async [Symbol.asyncDispose]() {},
  };
}
