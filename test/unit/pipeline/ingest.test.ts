/** Faults that the simulation found, each in its smallest form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryDeadLetterSink, createMemoryShardStore } from '@tideline/adapters';
import { createIngest, type Shard, type ShardStore, type SourceBatch } from '@tideline/pipeline';
import { createChainStream } from '../../simulation/chain-stream.ts';

const SHARD: Shard = { topic: 'chain', partition: 0 };

const newStore = () => createMemoryShardStore({ logBytesMax: 1e6 });

/** A store that a test can take away: `use` puts another one in its place. */
function replaceable() {
  let store = newStore();
  const port = new Proxy(store, {
    get: (_, name) => Reflect.get(store, name).bind(store),
  }) as ShardStore;
  return {
    port,
    use: (other: typeof store) => {
      store = other;
    },
  };
}

function ingestOver(store: ShardStore) {
  return createIngest({
    store,
    queue: {
      announce: () => Promise.resolve(),
      work: () => Promise.resolve(),
      drain: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    deadLetters: createMemoryDeadLetterSink(),
    streams: new Map([['chain', createChainStream()]]),
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
    onEvent: () => undefined,
    chunkRowsMax: 10,
    fullRetryMs: 1,
  });
}

function batch(from: number, next: number): SourceBatch {
  const records = Array.from({ length: next - from }, (_, i) => {
    const value = JSON.stringify({ key: 's1', kind: 'step', value: i, ts: 1_700_000_000_000 });
    return { offset: from + i, key: null, value: Buffer.from(value), timestampMs: 0, headers: {} };
  });
  return { shard: SHARD, from, next, records };
}

test('an ingest that is told nothing new sees that the store lost what it had appended', async () => {
  const { port, use } = replaceable();
  const ingest = ingestOver(port);
  assert.equal(await ingest.start(SHARD), null);
  await ingest.batch(batch(0, 25));
  assert.deepEqual(await ingest.fallenBehind(), []);
  use(newStore());
  assert.deepEqual(await ingest.fallenBehind(), [SHARD]);
  assert.equal(await ingest.start(SHARD), null);
  assert.deepEqual(await ingest.fallenBehind(), [], 'the shard is being read from its beginning');
});

test('a shard that was unknown at an earlier assignment is not begun from its middle after a loss', async () => {
  const { port, use } = replaceable();
  const ingest = ingestOver(port);
  assert.equal(await ingest.start(SHARD), null);
  // Before its first batch came, another ingest had the shard and brought it to 25.
  const filled = newStore();
  await filled.append(SHARD, { from: 0, begins: true, next: 25, bytes: new Uint8Array(1) });
  use(filled);
  assert.equal(await ingest.start(SHARD), 25);
  const empty = newStore();
  use(empty);
  assert.deepEqual(await ingest.batch(batch(25, 30)), { seek: -1 });
  assert.equal(await empty.head(SHARD), null, 'nothing was stored: the source goes back to the beginning');
});
