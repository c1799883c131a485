import assert from 'node:assert/strict';
import { type Fence, StaleEpochError } from '@tideline/pipeline';
import {
  batch,
  bytesOf,
  everyByte,
  type Promising,
  put,
  randomShard,
  statesOf,
  statusOf,
} from './shard-store-steps.ts';

/** Claims, and what becomes of states. */
export function statePromises(promise: Promising): void {
  promise('a claim keeps the epoch for the same owner and raises it for another', async (store, shard) => {
    assert.deepEqual(await store.claim(shard, 'a'), { epoch: 1, position: -1, model: '' });
    assert.equal((await store.claim(shard, 'a')).epoch, 1);
    assert.equal((await store.claim(shard, 'b')).epoch, 2);
    assert.equal((await store.claim(shard, 'a')).epoch, 3);
    assert.equal(await store.head(shard), null, 'A claim alone does not begin a shard.');
    assert.equal((await put(store, shard, 0, 1)).status, 'ok');
  });

  promise('states come back as identical bytes, removed ones are gone', async (store, shard) => {
    await put(store, shard, 0, 9);
    const { epoch } = await store.claim(shard, 'a');
    const long = 'k'.repeat(3_000);
    const keys = ['AAPL', '', 'sp ace,=\\', 'Ünïcødé\u0000 🦆', long];
    const states = [everyByte, bytesOf(), bytesOf(0), bytesOf(13, 10), new Uint8Array(100_000).fill(7)];
    await store.commit(batch(shard, epoch, 0, 3, { keys, states }));
    const loaded = await store.load(shard, [...keys, 'none']);
    assert.deepEqual(
      loaded.map((bytes) => bytes && [...bytes]),
      [...states.map((bytes) => [...bytes]), null],
    );
    assert.equal((await statusOf(store, shard))?.series, 4, "under '' lies the shard's watermark, which is no series");
    assert.deepEqual(Object.keys(await statesOf(store, shard)).sort(), [...keys].sort());
    await store.commit(
      batch(shard, epoch, 3, 9, { keys: ['AAPL'], states: [bytesOf(9)], removed: [long, 'sp ace,=\\', 'none'] }),
    );
    assert.deepEqual(await statesOf(store, shard), { AAPL: [9], '': [], 'Ünïcødé\u0000 🦆': [13, 10] });
    assert.deepEqual(await store.load(shard, [long]), [null]);
  });

  promise('20,000 states in one commit are written at once', async (store, shard) => {
    await put(store, shard, 0, 9);
    const { epoch } = await store.claim(shard, 'a');
    const keys = Array.from({ length: 20_000 }, (_, index) => `S${index}`);
    const states = keys.map((_, index) => new Uint8Array(new Uint32Array([index]).buffer));
    await store.commit(batch(shard, epoch, 0, 4, { keys, states }));
    assert.equal((await statusOf(store, shard))?.series, 20_000);
    const loaded = await store.load(shard, keys);
    assert.ok(loaded.every((bytes, index) => bytes && Buffer.from(bytes).readUInt32LE() === index));
    await store.commit(batch(shard, epoch, 4, 9, { removed: keys }));
    assert.equal((await statusOf(store, shard))?.series, 0);
  });

  promise('the store keeps its own copy of what it is given and hands out copies', async (store, shard) => {
    const bytes = bytesOf(1, 2, 3);
    await store.append(shard, { from: 0, begins: true, next: 1, bytes });
    const { epoch } = await store.claim(shard, 'a');
    await store.commit(batch(shard, epoch, 0, 0, { keys: ['k'], states: [bytes] }));
    bytes.fill(9);
    (await store.load(shard, ['k']))[0]?.fill(8);
    assert.deepEqual([...((await store.load(shard, ['k']))[0] ?? [])], [1, 2, 3]);
    assert.deepEqual([...(await store.read(shard, 0, 1))[0].bytes], [1, 2, 3]);
  });
}

/** Who may commit. */
export function fencePromises(promise: Promising): void {
  promise('a commit of a stale epoch or from elsewhere is refused and changes nothing', async (store, shard) => {
    await put(store, shard, 0, 4);
    await put(store, shard, 4, 9);
    const old = await store.claim(shard, 'a');
    await store.commit(batch(shard, old.epoch, 0, 4, { keys: ['k', 'gone'], states: [bytesOf(1), bytesOf(5)] }));
    const { epoch } = await store.claim(shard, 'b');
    const before = await statusOf(store, shard);
    const change = { model: 'm2', keys: ['k', 'new'], states: [bytesOf(2), bytesOf(3)], removed: ['gone'] };
    const stale = [
      batch(shard, old.epoch, 4, 9, change),
      batch(shard, epoch + 1, 4, 9, change),
      batch(shard, epoch, 0, 9, change),
      batch(shard, epoch, 5, 9, change),
    ];
    for (const commit of stale) await assert.rejects(store.commit(commit), StaleEpochError);
    await assert.rejects(store.commit(batch(randomShard(), 1, 0, 9, change)), StaleEpochError);
    assert.deepEqual(await statusOf(store, shard), before);
    assert.deepEqual(await statesOf(store, shard), { k: [1], gone: [5] });
    assert.equal((await store.claim(shard, 'b')).model, 'm1');
    assert.deepEqual(
      (await store.read(shard, 4, 9)).map((entry) => entry.next),
      [9],
    );
  });

  promise('a fenced read or load answers the holder and refuses everybody else', async (store, shard) => {
    await store.append(shard, { from: 0, begins: true, next: 4, bytes: everyByte });
    await store.append(shard, { from: 4, begins: false, next: 9, bytes: everyByte });
    const { epoch } = await store.claim(shard, 'a');
    await store.commit(batch(shard, epoch, 0, 4, { keys: ['k', 'Ünï 🦆'], states: [everyByte, bytesOf(1)] }));
    const holds: Fence = { epoch, positions: [4, 9] };
    assert.deepEqual([...(await store.read(shard, 4, 9, holds))[0].bytes], [...everyByte]);
    assert.deepEqual(await store.read(shard, 9, 9, { epoch, positions: [0, 4] }), []);
    const loaded = await store.load(shard, ['k', 'none', 'Ünï 🦆'], holds);
    assert.deepEqual(
      loaded.map((bytes) => bytes && [...bytes]),
      [[...everyByte], null, [1]],
    );
    assert.deepEqual(await store.load(shard, [], holds), []);
    const nowhere = randomShard();
    for (const stale of [
      { epoch: epoch - 1, positions: [4, 4] },
      { epoch: epoch + 1, positions: [4, 4] },
      { epoch, positions: [0, 9] },
    ] satisfies Fence[]) {
      await assert.rejects(store.read(shard, 4, 9, stale), StaleEpochError);
      await assert.rejects(store.load(shard, ['k'], stale), StaleEpochError);
    }
    await assert.rejects(store.read(nowhere, -1, 9, { epoch: 0, positions: [-1, -1] }), StaleEpochError);
    const begun = await store.claim(nowhere, 'a');
    assert.deepEqual(await store.read(nowhere, -1, 9, { epoch: begun.epoch, positions: [-1, -1] }), []);
  });

  promise('the newest commit repeated resolves and changes nothing', async (store, shard) => {
    await put(store, shard, 0, 9);
    const { epoch } = await store.claim(shard, 'a');
    const first = batch(shard, epoch, 0, 4, { keys: ['k'], states: [bytesOf(1)] });
    await store.commit(first);
    const before = await statusOf(store, shard);
    await store.commit(first);
    assert.deepEqual(await statusOf(store, shard), before);
    await store.commit(batch(shard, epoch, 4, 9));
    await assert.rejects(store.commit(first), StaleEpochError, 'An older commit is not the newest one.');
  });
}

/** Commits that meet each other, another model, or a loss. */
export function racePromises(promise: Promising): void {
  promise('of two racing committers exactly one wins', async (store, shard) => {
    for (let round = 0; round < 20; round += 1) {
      await put(store, shard, round * 2, round * 2 + 2);
      const zombie = await store.claim(shard, `zombie-${round}`);
      const from = round * 2;
      const [claimed, late] = await Promise.allSettled([
        store
          .claim(shard, `owner-${round}`)
          .then((claim) =>
            store.commit(batch(shard, claim.epoch, claim.position, from + 2, { keys: ['k'], states: [bytesOf(1)] })),
          ),
        store.commit(batch(shard, zombie.epoch, from, from + 2, { keys: ['k'], states: [bytesOf(2)] })),
      ]);
      // The owner that claims after the zombie's commit starts from its position: then both have done their share, in turn.
      assert.equal(claimed.status, 'fulfilled');
      const [state] = await store.load(shard, ['k']);
      if (late.status === 'rejected') {
        assert.ok(late.reason instanceof StaleEpochError);
        assert.deepEqual([...(state ?? [])], [1]);
      }
      assert.equal((await statusOf(store, shard))?.position, from + 2);
    }
    const { epoch } = await store.claim(shard, 'x');
    await put(store, shard, 40, 50);
    const racers = [41, 42, 43, 44].map((position) => store.commit(batch(shard, epoch, 40, position)));
    const won = (await Promise.allSettled(racers)).filter((outcome) => outcome.status === 'fulfilled');
    assert.equal(won.length, 1);
  });

  promise('another model may take over a shard, and a claim tells whose states they are', async (store, shard) => {
    await put(store, shard, 0, 9);
    const { epoch } = await store.claim(shard, 'a');
    await store.commit(batch(shard, epoch, 0, 1, { model: 'one' }));
    await store.commit(batch(shard, epoch, 1, 2, { model: 'two' }));
    assert.deepEqual(await store.claim(shard, 'a'), { epoch, position: 2, model: 'two' });
  });

  promise('a store that lost its last appends takes the position of its owner as the new end', async (store, shard) => {
    await put(store, shard, 0, 4);
    const { epoch } = await store.claim(shard, 'a');
    await store.commit(batch(shard, epoch, 0, 7));
    assert.equal(await store.head(shard), 7);
    assert.deepEqual(await put(store, shard, 4, 6), { status: 'ok', head: 7, ticket: 1 });
    assert.deepEqual(await put(store, shard, 4, 9), { status: 'seek', head: 7 });
    assert.equal((await put(store, shard, 7, 9)).status, 'ok');
    assert.equal((await statusOf(store, shard))?.logBytes, 4);
  });
}
