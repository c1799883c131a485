import assert from 'node:assert/strict';
import { StaleEpochError } from '@tideline/pipeline';
import { batch, type Promising, put, randomShard, statusOf } from './shard-store-steps.ts';

/** Tickets: one at a time, and never none where work waits. */
export function ticketPromises(promise: Promising): void {
  promise('at most one ticket of a shard is outstanding', async (store, shard) => {
    const appended = await Promise.all([0, 1, 2, 3, 4].map((from) => put(store, shard, from, from + 1)));
    const tickets = appended.flatMap((result) =>
      result.status === 'ok' && result.ticket !== null ? [result.ticket] : [],
    );
    assert.deepEqual(tickets, [1]);
    const { epoch } = await store.claim(shard, 'a');
    assert.deepEqual(await store.release(shard, { epoch, keep: true }), { drained: false, ticket: 1 });
    assert.deepEqual(await store.release(shard, { epoch, keep: false }), { drained: false, ticket: 2 });
    assert.equal((await statusOf(store, shard))?.ticket, 2);
    assert.equal((await put(store, shard, 5, 6)).status, 'ok');
    assert.equal((await statusOf(store, shard))?.ticket, 2);
  });

  promise('no wake-up is lost between draining and releasing', async (store, shard) => {
    await put(store, shard, 0, 5);
    const { epoch } = await store.claim(shard, 'a');
    await store.commit(batch(shard, epoch, 0, 5));
    assert.deepEqual(await put(store, shard, 5, 6), { status: 'ok', head: 6, ticket: null });
    assert.deepEqual(await store.release(shard, { epoch, keep: true }), { drained: false, ticket: 1 });
    await store.commit(batch(shard, epoch, 5, 6));
    assert.deepEqual(await store.release(shard, { epoch, keep: false }), { drained: true, ticket: null });
    assert.equal((await statusOf(store, shard))?.ticket, null);
    assert.deepEqual(await put(store, shard, 5, 6), { status: 'ok', head: 6, ticket: null });
    assert.deepEqual(await put(store, shard, 6, 7), { status: 'ok', head: 7, ticket: 2 });
  });

  promise('an append that races a release is announced by one of the two', async (store, shard) => {
    const { epoch } = await store.claim(shard, 'a');
    for (let at = 0; at < 50; at += 1) {
      await put(store, shard, at * 2, at * 2 + 1);
      await store.commit(batch(shard, epoch, at * 2, at * 2 + 1));
      const [appended, released] = await Promise.all([
        put(store, shard, at * 2 + 1, at * 2 + 2),
        store.release(shard, { epoch, keep: true }),
      ]);
      assert.equal(appended.status, 'ok');
      assert.notEqual(appended.status === 'ok' && appended.ticket !== null, !released.drained);
      await store.commit(batch(shard, epoch, at * 2 + 1, at * 2 + 2));
      assert.equal((await store.release(shard, { epoch, keep: true })).drained, true);
    }
  });

  promise('an owner that has been replaced cannot release', async (store, shard) => {
    await put(store, shard, 0, 5);
    const { epoch } = await store.claim(shard, 'a');
    await store.claim(shard, 'b');
    await assert.rejects(store.release(shard, { epoch, keep: false }), StaleEpochError);
    await assert.rejects(store.release(randomShard(), { epoch: 1, keep: false }), StaleEpochError);
    assert.equal((await statusOf(store, shard))?.ticket, 1);
  });
}
