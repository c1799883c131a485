/** Which series stay in memory: the least recently used ones make room, within one bound for all shards of a stream. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryShardStore } from '@tideline/adapters';
import { type Fence, SeriesMemory, ShardSeries } from '@tideline/pipeline';
import { createChainEngine } from '../../simulation/chain-engine.ts';
import { createChainStream } from '../../simulation/chain-stream.ts';

async function opened() {
  const engine = createChainEngine({ slotsMax: 8 });
  const memory = new SeriesMemory(createChainStream(), engine);
  const store = createMemoryShardStore({ logBytesMax: 1e6 });
  const shards = await Promise.all(
    [0, 1].map(async (partition) => {
      const shard = { topic: 'chain', partition };
      await store.append(shard, { from: 0, begins: true, next: 1, bytes: new Uint8Array(1) });
      const { epoch, position } = await store.claim(shard, 'a');
      const fence: Fence = { epoch, positions: [position, position] };
      const series = new ShardSeries(memory);
      const use = async (...keys: string[]): Promise<void> => {
        series.evict(4, new Set(keys));
        await series.open(keys, { store, shard, fence });
      };
      return { series, use };
    }),
  );
  return { memory, shards };
}

test('a series that is used again stays, and the one that was used longest ago makes room', async () => {
  const { memory, shards } = await opened();
  const [{ series, use }] = shards;
  await use('a', 'b', 'c', 'd');
  await use('a');
  await use('e', 'f');
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e', 'f'].filter((key) => series.slot(key) !== undefined),
    ['a', 'd', 'e', 'f'],
  );
  assert.equal(memory.size, 4);
});

test('a batch whose series are all in memory closes none', async () => {
  const { shards } = await opened();
  const [{ series, use }] = shards;
  await use('a', 'b', 'c', 'd');
  assert.equal(series.evict(4, new Set(['a', 'b'])), 0);
});

test('the bound counts the series of all shards; a shard closes its own only', async () => {
  const { memory, shards } = await opened();
  const [first, second] = shards;
  await first.use('a', 'b', 'c', 'd');
  await second.use('x', 'y');
  await second.use('z');
  assert.equal(first.series.size, 4);
  assert.deepEqual(
    ['x', 'y', 'z'].filter((key) => second.series.slot(key) !== undefined),
    ['z'],
  );
  await first.use('e');
  assert.equal(memory.size, 4);
});
