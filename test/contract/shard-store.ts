/**
 * What every ShardStore promises. Each adapter's test file runs this suite over itself:
 * memory, LMDB, Redis. The random walk at the end holds the others to the memory store, operation by operation.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { type Commit, type Shard, type ShardStore, StaleEpochError } from '@tideline/pipeline';
import { agreesWithModel } from './shard-store-walk.ts';

export interface ShardStoreSubject {
  readonly name: string;
  /** Opens the store at `place`; two stores of one place see the same shards. */
  open(place: string, bounds: { readonly logBytesMax: number; readonly logRecordsMax?: number }): Promise<ShardStore>;
  /** Whether what one store wrote is there when the place is opened again. */
  readonly durable: boolean;
}

export const BOUNDS = { logBytesMax: 1_000 } as const;

const randomShard = (): Shard => ({ topic: `contract.${randomUUID()}`, partition: 3 });
const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);
/** 256 values, so that a store that decodes text anywhere is found out. */
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

async function put(store: ShardStore, shard: Shard, from: number, next: number, sizeBytes = 4) {
  return store.append(shard, { from, begins: from === 0, next, bytes: new Uint8Array(sizeBytes).fill(next % 256) });
}

function batch(shard: Shard, epoch: number, from: number, position: number, rest: Partial<Commit> = {}): Commit {
  return { shard, epoch, from, position, model: 'm1', keys: [], states: [], removed: [], ...rest };
}

async function statusOf(store: ShardStore, shard: Shard) {
  const all = await store.status();
  return all.find((status) => status.shard.topic === shard.topic && status.shard.partition === shard.partition);
}

async function statesOf(store: ShardStore, shard: Shard): Promise<Record<string, number[]>> {
  const states: Record<string, number[]> = {};
  for await (const { key, bytes } of store.states(shard)) states[key] = [...bytes];
  return states;
}

/** Registers the suite's tests. */
export function shardStoreContract(subject: ShardStoreSubject): void {
  const promise = (title: string, check: (store: ShardStore, shard: Shard, place: string) => Promise<void>): void => {
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
  appendPromises(promise);
  commitPromises(promise);
  ticketPromises(promise);
  if (subject.durable) durabilityPromises(subject, promise);

  test(`${subject.name}: 2,000 random operations agree with the memory store`, async () => {
    await agreesWithModel(subject, 2_000);
  });
}

type Promising = (title: string, check: (store: ShardStore, shard: Shard, place: string) => Promise<void>) => void;

function appendPromises(promise: Promising): void {
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

function commitPromises(promise: Promising): void {
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
    assert.equal((await statusOf(store, shard))?.series, 5);
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

function ticketPromises(promise: Promising): void {
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
