/** What every SnapshotStore promises: a shard looked at in one moment, and one filled from outside as if it had always been there. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  type Shard,
  type ShardImage,
  type ShardStore,
  type SnapshotStore,
  StaleEpochError,
  statesOf,
} from '@tideline/pipeline';

type Store = ShardStore & SnapshotStore;

export interface SnapshotStoreSubject {
  readonly name: string;
  open(): Promise<Store>;
}

const SHARD: Shard = { topic: 'ticks-a', partition: 3 };

function image(states: Readonly<Record<string, string>>, over: Partial<ShardImage> = {}): ShardImage {
  const bytes = new Map(Object.entries(states).map(([key, state]) => [key, Buffer.from(state)]));
  return { shard: SHARD, position: 40, epoch: 7, model: 'abc', states: statesOf(bytes), ...over };
}

async function collect(states: AsyncIterable<{ readonly key: string; readonly bytes: Uint8Array }>) {
  const found: Record<string, string> = {};
  for await (const { key, bytes } of states) found[key] = Buffer.from(bytes).toString();
  return found;
}

/** Registers the suite's tests. */
export function snapshotStoreContract(subject: SnapshotStoreSubject): void {
  const promise = (title: string, check: (store: Store) => Promise<void>): void => {
    test(`${subject.name}: ${title}`, async () => {
      await using store = await subject.open();
      await check(store);
    });
  };

  promise('an unknown shard has no snapshot and cannot be captured', async (store) => {
    assert.equal(await store.snapshot(SHARD, ['A']), null);
    assert.equal(await store.capture(SHARD), null);
  });

  promise('an installed shard goes on where its image stands, as if it had never been elsewhere', async (store) => {
    const long = 'x'.repeat(5_000);
    assert.equal(await store.install(image({ A: 'a', 'ü/\n': '\u0000b', [long]: 'c' }), { force: false }), true);
    const [status] = await store.status();
    const { epoch, ...rest } = status;
    assert(epoch > 7);
    assert.deepEqual(rest, { shard: SHARD, owner: '', position: 40, head: 40, logBytes: 0, series: 3, ticket: null });
    assert.equal(await store.head(SHARD), 40);
    assert.deepEqual(await collect(store.states(SHARD)), { A: 'a', 'ü/\n': '\u0000b', [long]: 'c' });
    const next = { from: 40, begins: false, next: 41, bytes: Buffer.from('chunk') };
    assert.deepEqual(await store.append(SHARD, next), { status: 'ok', head: 41, ticket: 1 });
    const claim = await store.claim(SHARD, 'a');
    assert.deepEqual({ position: claim.position, model: claim.model }, { position: 40, model: 'abc' });
    const commit = { shard: SHARD, epoch: claim.epoch, from: 40, position: 41, model: 'abc' };
    await store.commit({ ...commit, keys: ['A'], states: [Buffer.from('a2')], removed: [long] });
    const snapshot = await store.snapshot(SHARD, [long, 'A', 'ü/\n']);
    assert.deepEqual(
      snapshot?.states.map((state) => state && Buffer.from(state).toString()),
      [null, 'a2', '\u0000b'],
    );
    assert.deepEqual([snapshot?.position, snapshot?.epoch, snapshot?.model], [41, claim.epoch, 'abc']);
  });

  promise(
    'a known shard is not replaced without force; with it, whoever owned it is fenced and its log is gone',
    async (store) => {
      const chunk = { from: 0, begins: true, next: 5, bytes: Buffer.from('chunk') };
      await store.append(SHARD, chunk);
      const { epoch } = await store.claim(SHARD, 'a');
      const commit = { shard: SHARD, epoch, from: 0, position: 5, model: 'm', removed: [] };
      await store.commit({ ...commit, keys: ['A', 'B'], states: [Buffer.from('1'), Buffer.from('2')] });
      assert.equal(await store.install(image({ A: 'a' }), { force: false }), false);
      assert.deepEqual(await collect(store.states(SHARD)), { A: '1', B: '2' });
      await store.append(SHARD, { ...chunk, from: 5, begins: false, next: 9 });
      assert.equal(await store.install(image({ A: 'a' }, { epoch: 0 }), { force: true }), true);
      assert.deepEqual(await collect(store.states(SHARD)), { A: 'a' });
      assert.deepEqual(await store.read(SHARD, -1, 10), []);
      await assert.rejects(store.commit({ ...commit, from: 5, position: 9, keys: [], states: [] }), StaleEpochError);
      assert.deepEqual(await store.append(SHARD, { ...chunk, from: 5, begins: false, next: 50 }), {
        status: 'seek',
        head: 40,
      });
      assert.equal(await store.install(image({}), { force: true }), true);
      assert.deepEqual(await collect(store.states(SHARD)), {});
    },
  );

  promise('a captured shard stays as it was while the shard goes on', async (store) => {
    await store.install(image({ A: 'a', B: 'b' }), { force: false });
    await using captured = await store.capture(SHARD);
    const { epoch } = await store.claim(SHARD, 'a');
    const commit = { shard: SHARD, epoch, from: 40, position: 40, model: 'abc' };
    await store.commit({ ...commit, keys: ['A'], states: [Buffer.from('a2')], removed: ['B'] });
    assert(captured);
    assert.deepEqual([captured.position, captured.model], [40, 'abc']);
    assert.deepEqual(await collect(captured.states), { A: 'a', B: 'b' });
    assert.deepEqual(await collect(store.states(SHARD)), { A: 'a2' });
  });

  promise('the revision is another one after a touch, and stays otherwise', async (store) => {
    await store.install(image({ A: 'a' }), { force: false });
    const revision = async () => (await store.snapshot(SHARD, []))?.revision;
    const before = await revision();
    await store.append(SHARD, { from: 40, begins: false, next: 41, bytes: Buffer.from('chunk') });
    assert.equal(await revision(), before);
    await store.touch(SHARD);
    assert.notEqual(await revision(), before);
  });

  promise('thousands of states are looked at in one step', async (store) => {
    const states = Object.fromEntries(Array.from({ length: 12_000 }, (_, i) => [`s${i}`, randomUUID()]));
    await store.install(image(states), { force: false });
    const keys = Object.keys(states);
    const snapshot = await store.snapshot(SHARD, keys);
    assert.deepEqual(
      snapshot?.states.map((state) => Buffer.from(state ?? []).toString()),
      Object.values(states),
    );
  });
}
