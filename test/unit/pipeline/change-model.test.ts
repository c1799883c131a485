import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCheckpointLog, createMemoryShardStore } from '@tideline/adapters';
import {
  CheckpointedStore,
  ChunkBuilder,
  changeModel,
  encodeChunk,
  type ModelChange,
  type Shard,
  writeCheckpoint,
} from '@tideline/pipeline';

const SHARD: Shard = { topic: 'ticks', partition: 0 };
const [OLD, YOUNG] = ['old', 'young'];
const STATE = Buffer.from('a state');

/** A shard that is fed and served by the old model, with an ingest's checkpoints. */
async function openShard() {
  const inner = createMemoryShardStore({ logBytesMax: 1e6 });
  const log = createMemoryCheckpointLog();
  const accepts = async (): Promise<boolean> => true;
  const store = new CheckpointedStore({
    ...{ store: inner, log, restore: true, accepts, nowMs: () => 0, onEvent: () => undefined },
  });
  const signal = new AbortController().signal;
  let head = 0;
  return {
    ...{ inner, log, store },
    async feed(records: number): Promise<void> {
      const builder = new ChunkBuilder({ numbers: [], texts: [] }, 1);
      builder.push('A', head, { ms: 0, subNs: 0, unit: 'ms' });
      const next = head + records;
      const bytes = encodeChunk(builder.finish(next));
      await store.append(SHARD, { from: head, next, begins: head === 0, bytes });
      head = next;
    },
    async serve(owner = OLD): Promise<number> {
      const { epoch, position } = await inner.claim(SHARD, owner);
      const states = { keys: ['A'], states: [STATE], removed: [] };
      await inner.commit({ shard: SHARD, epoch, from: position, position: head, model: OLD, ...states });
      return epoch;
    },
    async checkpoint(): Promise<string> {
      const [{ state }] = store.tracked();
      const pace = async (): Promise<void> => undefined;
      const { status } = await writeCheckpoint({
        shard: SHARD,
        store: inner,
        log,
        state,
        nowMs: () => 0,
        pace,
        signal,
      });
      return status;
    },
    change: (over: Partial<ModelChange> = {}) =>
      changeModel({ shard: SHARD, store: inner, log, model: YOUNG, owner: 'operator', wallMs: () => 1, ...over }),
  };
}

/** The operator ends between the decision and the store. */
const CUT_SHORT = {
  install: async () => {
    throw new Error('ended');
  },
};

test('a changed shard stands where it stood, without states, and its old owner is fenced', async () => {
  const shard = await openShard();
  await shard.feed(30);
  const epoch = await shard.serve();
  assert.equal(await shard.checkpoint(), 'written');
  assert.deepEqual(await shard.change(), { status: 'changed', position: 30, from: OLD });
  const after = await shard.inner.snapshot(SHARD, ['A']);
  assert.deepEqual([after?.position, after?.model, after?.states], [30, YOUNG, [null]]);
  const commit = { shard: SHARD, epoch, from: 30, position: 31, model: OLD, keys: [], states: [], removed: [] };
  await assert.rejects(shard.inner.commit(commit), { code: 'STALE_EPOCH' });
  assert.deepEqual(await shard.change(), { status: 'unchanged' });
  assert.deepEqual(await shard.change({ model: OLD }), { status: 'changed', position: 30, from: YOUNG }, 'and back');
});

test('a shard without a model gets none', async () => {
  const shard = await openShard();
  assert.deepEqual(await shard.change(), { status: 'unknown' });
  await shard.feed(30);
  assert.deepEqual(await shard.change(), { status: 'unknown' });
});

test('a change that was cut short after its decision is finished by ingest, and by another try', async () => {
  for (const finish of ['ingest', 'operator'] as const) {
    const shard = await openShard();
    await shard.feed(30);
    await shard.serve();
    await shard.checkpoint();
    const store = new Proxy(shard.inner, {
      get: (target, name) => Reflect.get(CUT_SHORT, name) ?? Reflect.get(target, name).bind(target),
    });
    await assert.rejects(shard.change({ store }), /ended/);
    // The old model goes on meanwhile.
    await shard.feed(10);
    await shard.serve();
    if (finish === 'ingest') {
      await assert.rejects(shard.checkpoint(), { code: 'STALE_EPOCH' }, 'its writer of before is fenced');
      assert.equal(await shard.checkpoint(), 'superseded');
      await shard.store.catchUp(SHARD);
    } else assert.deepEqual(await shard.change(), { status: 'changed', from: OLD, position: 30 });
    const after = await shard.inner.snapshot(SHARD, ['A']);
    assert.deepEqual([after?.position, after?.model, after?.states], [30, YOUNG, [null]]);
  }
});

test('a store that fell back behind the checkpoint before the change follows the change, and waits for nobody', async () => {
  const shard = await openShard();
  await shard.feed(20);
  await shard.serve();
  const before = { position: 20, model: OLD, states: [{ key: 'A', bytes: STATE }] };
  await shard.feed(10);
  await shard.serve();
  assert.equal(await shard.checkpoint(), 'written');
  assert.equal((await shard.change()).status, 'changed');
  const states = (async function* () {
    yield* before.states;
  })();
  await shard.inner.install({ shard: SHARD, ...before, epoch: 9, states }, { force: true });
  assert.equal(await shard.checkpoint(), 'superseded');
  await shard.store.catchUp(SHARD);
  assert.equal((await shard.inner.snapshot(SHARD, []))?.model, YOUNG);
});
