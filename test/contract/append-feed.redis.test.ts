import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRedisAppendFeed, createRedisShardStore } from '@tideline/adapters';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';

const url = stackAddresses().redis;
const shard = { topic: 'ticks', partition: 3 };

async function open() {
  const prefix = uniqueName('appends');
  const heard: string[] = [];
  const feed = await createRedisAppendFeed({
    ...{ url, prefix, owner: 'one' },
    listener: (name, head) => void heard.push(`${name} ${head}`),
  });
  const store = await createRedisShardStore({ url, prefix, logBytesMax: 1e6 });
  return {
    ...{ heard, store },
    append: (from: number) =>
      store.append(shard, { from, begins: from === 0, next: from + 1, bytes: new Uint8Array([from]) }),
    async [Symbol.asyncDispose]() {
      await feed[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

test('append feed: the owner of a shard hears of what is appended while its ticket is out, and of no other', async () => {
  await using world = await open();
  const { store, heard, append } = world;
  // Nobody owns it yet; then the ticket is out and `one` has it.
  await append(0);
  await append(1);
  await store.claim(shard, 'one');
  await append(2);
  await append(3);
  await eventually('both are heard', () => heard.length >= 2, 5_000);
  assert.deepEqual(heard, ['ticks-3 3', 'ticks-3 4']);
});

test('append feed: an append that is refused, repeated or brings a ticket of its own is no word', async () => {
  await using world = await open();
  const { store, heard, append } = world;
  await append(0);
  const { epoch } = await store.claim(shard, 'one');
  assert.equal((await append(0)).status, 'ok');
  assert.equal((await append(7)).status, 'seek');
  await store.commit({
    ...{ shard, epoch, from: 0, position: 1, model: 'm' },
    ...{ keys: [], states: [], removed: [] },
  });
  await store.release(shard, { epoch, keep: false });
  assert.ok('ticket' in (await append(1)));
  await append(2);
  await eventually('the last one is heard', () => heard.length >= 1, 5_000);
  assert.deepEqual(heard, ['ticks-3 3']);
});

test('append feed: an owner hears that another has claimed its shard', async () => {
  await using world = await open();
  const { store, heard, append } = world;
  await append(0);
  await store.claim(shard, 'one');
  await store.claim(shard, 'one');
  await store.claim(shard, 'two');
  await append(1);
  await eventually('the claim is heard', () => heard.length >= 1, 5_000);
  assert.deepEqual(heard, ['ticks-3 Infinity']);
});
