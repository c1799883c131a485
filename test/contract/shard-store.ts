/**
 * What every ShardStore promises. Each adapter's test file runs this suite over itself:
 * memory, LMDB, Redis. The random walk at the end holds the others to the memory store, operation by operation.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { ShardStore } from '@tideline/pipeline';
import { appendPromises, readPromises } from './shard-store-append.ts';
import { fencePromises, racePromises, statePromises } from './shard-store-commit.ts';
import { evictsWithoutATrace } from './shard-store-eviction.ts';
import { batch, everyByte, type Promising, put, randomShard, statesOf } from './shard-store-steps.ts';
import { ticketPromises } from './shard-store-ticket.ts';
import { agreesWithModel } from './shard-store-walk.ts';

export interface ShardStoreSubject {
  readonly name: string;
  /** Opens the store at `place`; two stores of one place see the same shards. */
  open(place: string, bounds: { readonly logBytesMax: number; readonly logRecordsMax?: number }): Promise<ShardStore>;
  /** Whether what one store wrote is there when the place is opened again. */
  readonly durable: boolean;
}

const BOUNDS = { logBytesMax: 1_000 } as const;

/** Registers the suite's tests. */
export function shardStoreContract(subject: ShardStoreSubject): void {
  const promise: Promising = (title, check) => {
    test(`${subject.name}: ${title}`, async () => {
      const place = randomUUID();
      const store = await subject.open(place, BOUNDS);
      try {
        await check(store, randomShard(), place);
      } finally {
        await store[Symbol.asyncDispose]();
      }
    });
  };
  for (const register of [appendPromises, readPromises, statePromises, fencePromises, racePromises, ticketPromises])
    register(promise);
  if (subject.durable) durabilityPromises(subject, promise);

  test(`${subject.name}: a series that made room in memory comes back without a changed bit`, async () => {
    await using store = await subject.open(randomUUID(), { logBytesMax: 1e8 });
    await evictsWithoutATrace(store);
  });

  test(`${subject.name}: 2,000 random operations agree with the memory store`, async () => {
    await agreesWithModel(subject, 2_000);
  });
}

function durabilityPromises(subject: ShardStoreSubject, promise: Promising): void {
  promise('a store opened again holds everything', async (store, shard, place) => {
    await put(store, shard, 0, 5);
    await put(store, shard, 5, 9, 40);
    const { epoch } = await store.claim(shard, 'a');
    await store.commit(batch(shard, epoch, 0, 5, { keys: ['k'], states: [everyByte] }));
    const before = await store.status();
    await store[Symbol.asyncDispose]();
    await using again = await subject.open(place, BOUNDS);
    assert.deepEqual(await again.status(), before);
    assert.deepEqual(await statesOf(again, shard), { k: [...everyByte] });
    assert.deepEqual(await again.claim(shard, 'a'), { epoch, position: 5, model: 'm1' });
    assert.equal((await again.read(shard, 5, 5))[0].bytes.length, 40);
    await again.commit(batch(shard, epoch, 5, 9));
  });
}
