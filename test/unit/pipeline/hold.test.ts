import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { shardName } from '@tideline/pipeline';
import { append, NEVER, newStore, SHARD, start, TICKET } from './forecaster-run.ts';

const NAME = shardName(SHARD);
const HOLD = { idleMs: 1, slots: 4 };

/** Sleeps that end when the test says so. */
function createClock() {
  let ends: (() => void)[] = [];
  return {
    sleep: () => new Promise<void>((resolve) => void ends.push(resolve)),
    tick() {
      const due = ends;
      ends = [];
      for (const end of due) end();
    },
  };
}

/** Until everything that can go on without the outer world has gone on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await turn();
}

async function openHeld(slots = HOLD.slots) {
  const store = newStore();
  const clock = createClock();
  const run = start(store, { sleep: clock.sleep, hold: { ...HOLD, slots }, batchEntriesMax: 4 });
  await append(store, [{ key: 's1' }]);
  let isOver = false;
  const handled = run.forecaster.handle(TICKET, NEVER).finally(() => {
    isOver = true;
  });
  await settle();
  return { ...run, store, clock, handled, isOver: () => isOver };
}

const claimsOf = (run: { events: readonly { type: string }[] }) =>
  run.events.filter(({ type }) => type === 'claimed').length;

test('a held shard steps what is appended at a word, under the ticket that it has', async () => {
  const run = await openHeld();
  assert.equal(run.sink.size, 1);
  for (const head of [2, 3]) {
    await append(run.store, [{ key: 's1' }]);
    run.forecaster.appended(NAME, head);
    await settle();
    assert.equal(run.sink.size, head);
  }
  assert.equal(run.isOver(), false);
  assert.equal(claimsOf(run), 1);
  assert.equal((await run.store.status())[0].ticket, 1);
  run.forecaster.stop();
  await run.handled;
  assert.equal((await run.store.status())[0].ticket, null);
});

test('a hold without a word ends, and its ticket is given back; a word keeps it', async () => {
  const run = await openHeld();
  await append(run.store, [{ key: 's1' }]);
  run.forecaster.appended(NAME, 2);
  await settle();
  run.clock.tick();
  await settle();
  assert.equal(run.isOver(), false);
  run.clock.tick();
  await run.handled;
  assert.deepEqual([run.sink.size, (await run.store.status())[0].ticket], [2, null]);
});

test('a word that was lost costs time only: the end of the hold finds the records', async () => {
  const run = await openHeld();
  await append(run.store, [{ key: 's1' }, { key: 's2' }]);
  run.clock.tick();
  await settle();
  assert.equal(run.sink.size, 3);
  run.clock.tick();
  await run.handled;
});

test('no slot that another shard needs is held idle', async () => {
  const run = await openHeld(2);
  const other = run.forecaster.handle({ shard: { ...SHARD, partition: 1 }, number: 1 }, NEVER);
  await run.handled;
  await settle();
  run.clock.tick();
  await other;
});

test("another owner's claim ends a hold before its time, and the records are its", async () => {
  const run = await openHeld();
  const other = start(run.store, { owner: 'b' });
  await append(run.store, [{ key: 's1' }]);
  await other.forecaster.handle(TICKET, NEVER);
  run.forecaster.appended(NAME, Number.POSITIVE_INFINITY);
  await run.handled;
  assert.ok(run.events.some(({ type }) => type === 'fenced'));
  assert.deepEqual([run.sink.size, other.sink.size], [1, 1]);
});

test('a held shard whose points are refused fails its ticket, as one that is not held', async () => {
  const store = newStore();
  const clock = createClock();
  const run = start(store, { sleep: clock.sleep, hold: HOLD, batchEntriesMax: 4 });
  run.sink.write = () => Promise.reject(new Error('refused'));
  await append(store, [{ key: 's1' }]);
  await assert.rejects(run.forecaster.handle(TICKET, NEVER), /refused/);
});

test('of more shards with a backlog than a forecaster keeps, each goes back to the queue after a batch', async () => {
  const store = newStore();
  const run = start(store, { batchEntriesMax: 1, backlogsMax: 1 });
  const shards = [0, 1].map((partition) => ({ ...SHARD, partition }));
  for (const shard of shards) for (let i = 0; i < 3; i += 1) await append(store, [{ key: 's1' }], shard);
  await Promise.all(shards.map((shard) => run.forecaster.handle({ shard, number: 1 }, NEVER)));
  // One of the two was given back, with what is left of it; the other was alone then, and was drained.
  assert.deepEqual(run.announced, [2]);
  const left = (await store.status()).map(({ head, position }) => head - position).sort();
  assert.equal(left[0], 0);
  assert.ok(left[1] > 0);
});
