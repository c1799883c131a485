import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBullDeliveryQueue, type DeliveryAttempt } from '@tideline/adapters';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';

const SHARD = { topic: 'alerts', partition: 0 };

function openQueue(name = uniqueName('deliveries'), onError?: (error: Error) => void) {
  return createBullDeliveryQueue({
    url: stackAddresses().redis,
    name,
    errorAgainMs: 20,
    ...(onError ? { onError } : {}),
  });
}

test('a delivery that is added twice is one, while it waits and when it was done; the position is that of the last addition', async () => {
  await using queue = await openQueue();
  assert.equal(await queue.position(SHARD), null);
  const one = { id: 'a-1', content: '{"id":"a-1"}', offset: 7 };
  await queue.add(SHARD, [one, one, { ...one, id: 'a-2', offset: 8 }], 9);
  await queue.add(SHARD, [one], 10);
  assert.equal(await queue.position(SHARD), 10);
  assert.equal(await queue.position({ ...SHARD, partition: 1 }), null);
  assert.equal(await queue.waiting(), 2);
  const handed: DeliveryAttempt[] = [];
  await queue.work(
    async (attempt) => {
      handed.push(attempt);
      return { done: true };
    },
    { concurrency: 2 },
  );
  await eventually('both are done', async () => (await queue.waiting()) === 0);
  await queue.add(SHARD, [one], 10);
  assert.equal(await queue.waiting(), 0);
  assert.deepEqual(
    handed
      .map(({ id, offset, attempts, shard }) => ({ id, offset, attempts, shard }))
      .sort((a, b) => a.offset - b.offset),
    [
      { id: 'a-1', offset: 7, attempts: 0, shard: SHARD },
      { id: 'a-2', offset: 8, attempts: 0, shard: SHARD },
    ],
  );
});

test('a delivery comes again after the wait that its handler asks for, and after a handler that threw, until it is done', async () => {
  const errors: string[] = [];
  await using queue = await openQueue(uniqueName('deliveries'), ({ message }) => errors.push(message));
  const handed: { readonly attempts: number; readonly atMs: number }[] = [];
  await queue.work(
    async ({ attempts }) => {
      handed.push({ attempts, atMs: performance.now() });
      if (handed.length === 2) throw new Error('The dead letter cannot be kept.');
      return handed.length < 4 ? { done: false, againAfterMs: 60 } : { done: true };
    },
    { concurrency: 1 },
  );
  await queue.add(SHARD, [{ id: 'b-1', content: '', offset: 0 }], 1);
  await eventually('it is done', async () => handed.length === 4 && (await queue.waiting()) === 0);
  assert.deepEqual(
    handed.map(({ attempts }) => attempts),
    [0, 1, 1, 2],
  );
  assert.ok(handed[1].atMs - handed[0].atMs >= 55, 'it waits as it was asked to');
  assert.deepEqual(errors, ['The dead letter cannot be kept.']);
});

test('deliveries and position outlive the process that added them', async () => {
  const name = uniqueName('deliveries');
  const first = await openQueue(name);
  await first.add(SHARD, [{ id: 'c-1', content: 'x', offset: 4 }], 5);
  await first[Symbol.asyncDispose]();
  await using second = await openQueue(name);
  assert.deepEqual([await second.position(SHARD), await second.waiting()], [5, 1]);
});
