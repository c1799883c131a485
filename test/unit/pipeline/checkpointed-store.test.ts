import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCheckpointLog, createMemoryShardStore } from '@tideline/adapters';
import {
  CheckpointedStore,
  type CheckpointLog,
  type CheckpointMarker,
  ChunkBuilder,
  encodeChunk,
  type RestoreEvent,
  RetryableError,
  type Shard,
  shardName,
} from '@tideline/pipeline';

const shardAt = (partition: number): Shard => ({ topic: 'ticks', partition });
const SHARD = shardAt(0);

async function logWith(positions: readonly number[]): Promise<CheckpointLog> {
  const log = createMemoryCheckpointLog();
  for (const [partition, position] of positions.entries()) {
    const shard = shardAt(partition);
    const writer = await log.begin(shard);
    await writer.write([{ key: 'A', bytes: Buffer.from(`state at ${position}`) }]);
    await writer.commit({ shard, position, epoch: 3, model: 'abc', atMs: 1 });
  }
  return log;
}

function storeOver(
  log: CheckpointLog,
  over: { readonly accepts?: (marker: CheckpointMarker) => Promise<boolean>; readonly restore?: boolean } = {},
) {
  const inner = createMemoryShardStore({ logBytesMax: 1e6 });
  const events: RestoreEvent[] = [];
  const onEvent = (event: RestoreEvent): void => void events.push(event);
  const options = { restore: true, accepts: async () => true, nowMs: () => 0, onEvent, ...over };
  return { inner, events, store: new CheckpointedStore({ store: inner, log, ...options }) };
}

function entry(from: number, next: number, begins = false) {
  const builder = new ChunkBuilder({ numbers: [], texts: [] }, 1);
  builder.push('A', from, { ms: 0, subNs: 0, unit: 'ms' });
  return { from, next, begins, bytes: encodeChunk(builder.finish(next)) };
}

test('a shard that the store does not know goes on from its newest checkpoint, with its states', async () => {
  const { store, inner, events } = storeOver(await logWith([40]));
  assert.equal(await store.head(SHARD), 40);
  const snapshot = await inner.snapshot(SHARD, ['A']);
  assert.equal(Buffer.from(snapshot?.states[0] ?? []).toString(), 'state at 40');
  assert(snapshot && snapshot.epoch > 3);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['restored'],
  );
});

test('a shard that the store lost while it was fed is restored before the source is told to begin', async () => {
  const { store } = storeOver(await logWith([40]));
  assert.deepEqual(await store.append(SHARD, entry(70, 71)), { status: 'seek', head: 40 });
  assert.deepEqual(await store.append(SHARD, entry(40, 41)), { status: 'ok', head: 41, ticket: 1 });
});

test('without a checkpoint, with one of another topic, or where it is not wanted, a shard begins at the beginning', async () => {
  const log = await logWith([40]);
  const none = storeOver(createMemoryCheckpointLog());
  const refused = storeOver(log, { accepts: async ({ position }) => position < 40 });
  const off = storeOver(log, { restore: false });
  for (const { store } of [none, refused, off]) {
    assert.equal(await store.head(SHARD), null);
    assert.deepEqual(await store.append(SHARD, entry(5, 6)), { status: 'seek', head: null });
  }
  const last = refused.events.at(-1);
  assert(last?.type === 'not-restored' && last.reason === 'refused' && last.position === 40);
});

test('shards that ask at once are read together; where that fails, none of them begins anew', async () => {
  const log = await logWith([10, 20, 30, 40]);
  const reads: string[][] = [];
  const flaky: CheckpointLog = {
    ...log,
    async read(shards, options) {
      reads.push(shards.map(shardName));
      if (reads.length === 1) throw new RetryableError('Kafka is away.');
      return log.read(shards, options);
    },
  };
  const { store } = storeOver(flaky);
  const answers = await Promise.allSettled([0, 1, 2, 3].map((partition) => store.head(shardAt(partition))));
  // The failure is told to the one whose turn it was; the next in turn reads for all again.
  const all = ['ticks-0', 'ticks-1', 'ticks-2', 'ticks-3'];
  assert.deepEqual(reads, [all, all]);
  assert.deepEqual(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'again')),
    ['again', 20, 30, 40],
  );
  assert.equal(await store.head(SHARD), 10);
});

test('a store rolled back behind what the source retains goes on from the checkpoint that is ahead, never backwards', async () => {
  const { store, inner } = storeOver(await logWith([40]));
  await inner.append(SHARD, entry(30, 31, true));
  const { epoch } = await inner.claim(SHARD, 'owner');
  await store.catchUp(SHARD);
  assert.equal(await store.head(SHARD), 40);
  const commit = { shard: SHARD, epoch, from: 30, position: 31, model: 'abc', keys: [], states: [], removed: [] };
  await assert.rejects(inner.commit(commit), { code: 'STALE_EPOCH' }, 'the owner of before is fenced');
  await inner.append(SHARD, entry(40, 50));
  await store.catchUp(SHARD);
  assert.equal(await store.head(SHARD), 50);
});
