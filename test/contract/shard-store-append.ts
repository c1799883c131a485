import assert from 'node:assert/strict';
import { batch, bytesOf, everyByte, type Promising, put, randomShard, statusOf } from './shard-store-steps.ts';

/** What may be appended, and what is answered. */
export function appendPromises(promise: Promising): void {
  promise('an unknown shard has no head and begins only at the beginning', async (store, shard) => {
    assert.equal(await store.head(shard), null);
    const seek = { status: 'seek', head: null };
    assert.deepEqual(await store.append(shard, { from: 7, begins: false, next: 9, bytes: bytesOf(1) }), seek);
    assert.equal(await store.head(shard), null);
    assert.deepEqual(await store.append(shard, { from: 7, begins: true, next: 9, bytes: bytesOf(1) }), {
      status: 'ok',
      head: 9,
      ticket: 1,
    });
    assert.equal(await store.head(shard), 9);
    assert.equal((await store.claim(shard, 'a')).position, 7);
  });

  promise('a repeated append changes nothing and names the ticket that is outstanding', async (store, shard) => {
    await put(store, shard, 0, 5);
    await put(store, shard, 5, 9);
    assert.deepEqual(await put(store, shard, 0, 5, 40), { status: 'ok', head: 9, ticket: 1 });
    assert.deepEqual(await put(store, shard, 5, 9, 40), { status: 'ok', head: 9, ticket: 1 });
    assert.deepEqual(
      (await store.read(shard, 0, 10)).map((entry) => [entry.next, entry.bytes.length]),
      [
        [5, 4],
        [9, 4],
      ],
    );
  });

  promise('an overlap and a gap answer where the log ends and store nothing', async (store, shard) => {
    await put(store, shard, 0, 5);
    assert.deepEqual(await put(store, shard, 3, 8), { status: 'seek', head: 5 });
    assert.deepEqual(await put(store, shard, 6, 8), { status: 'seek', head: 5 });
    assert.equal((await store.read(shard, 0, 10)).length, 1);
    assert.equal((await statusOf(store, shard))?.logBytes, 4);
  });

  promise(
    'a log at its bound is full, has room after a commit, and admits one entry of any size',
    async (store, shard) => {
      const { epoch } = await store.claim(shard, 'a');
      assert.equal((await put(store, shard, 0, 5, 5_000)).status, 'ok');
      assert.deepEqual(await put(store, shard, 5, 6, 1), { status: 'full', head: 5 });
      await store.commit(batch(shard, epoch, 0, 5));
      assert.equal((await put(store, shard, 5, 6, 600)).status, 'ok');
      assert.equal((await put(store, shard, 6, 7, 400)).status, 'ok');
      assert.deepEqual(await put(store, shard, 7, 8, 1), { status: 'full', head: 7 });
      await store.commit(batch(shard, epoch, 5, 6));
      assert.equal((await statusOf(store, shard))?.logBytes, 400);
      assert.equal((await put(store, shard, 7, 8, 600)).status, 'ok');
    },
  );
}

/** What is read back of the log. */
export function readPromises(promise: Promising): void {
  promise('the log is read in order, above a position, whole entries, identical bytes', async (store, shard) => {
    for (let at = 0; at < 30; at += 1) await put(store, shard, at * 10, at * 10 + 10, 8);
    await store.append(shard, { from: 300, begins: false, next: 301, bytes: everyByte });
    const entries = await store.read(shard, 20, 3);
    assert.deepEqual(
      entries.map((entry) => entry.next),
      [30, 40, 50],
    );
    assert.deepEqual((await store.read(shard, 25, 1))[0].next, 30, 'An entry that straddles the position is read.');
    assert.deepEqual([...(await store.read(shard, 300, 5))[0].bytes], [...everyByte]);
    assert.deepEqual(await store.read(shard, 301, 5), []);
    assert.deepEqual(await store.read(randomShard(), -1, 5), []);
  });

  promise('offsets beyond 2^52 keep every digit', async (store, shard) => {
    const far = 2 ** 52 + 1;
    await store.append(shard, { from: far, begins: true, next: far + 2, bytes: bytesOf(1) });
    const { epoch, position } = await store.claim(shard, 'a');
    assert.equal(position, far);
    assert.equal(await store.head(shard), far + 2);
    await store.commit(batch(shard, epoch, far, far + 1));
    assert.equal((await statusOf(store, shard))?.position, far + 1);
    assert.deepEqual(
      (await store.read(shard, far + 1, 5)).map((entry) => entry.next),
      [far + 2],
    );
  });
}
