/** Faults that the simulation found, each in its smallest form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShardStore, StepEngine } from '@tideline/pipeline';
import { CHAIN_MODELS, createChainEngine } from '../../simulation/chain-engine.ts';
import { createSimEngine } from '../../simulation/sim-engine.ts';
import { append, NEVER, newStore, type Row, SHARD, start, TICKET } from './forecaster-run.ts';

const otherEngine = (): StepEngine => createChainEngine({ slotsMax: 100, model: CHAIN_MODELS[1] });

async function statesOf(store: ShardStore): Promise<Record<string, string>> {
  const states: Record<string, string> = {};
  for await (const { key, bytes } of store.states(SHARD)) states[key] = Buffer.from(bytes).toString('hex');
  return states;
}

for (const late of ['read', 'load'] as const)
  test(`a zombie whose ${late} comes after another owner's commit writes no point`, async () => {
    const store = newStore();
    await append(store, [{ key: 's1' }]);
    await append(store, [{ key: 's1' }, { key: 's2' }]);
    const other = start(store, { owner: 'b' });
    let served: Promise<void> | null = null;
    const slow = new Proxy(store, {
      get(target, name) {
        const method = Reflect.get(target, name).bind(target);
        if (name !== late) return method;
        return async (...args: unknown[]) => {
          served ??= other.forecaster.handle(TICKET, NEVER);
          await served;
          return method(...args);
        };
      },
    });
    const zombie = start(slow, { owner: 'a' });
    await zombie.forecaster.handle(TICKET, NEVER);
    assert.deepEqual([...zombie.sink.lines()], []);
    assert.ok(zombie.events.some(({ type }) => type === 'fenced'));
    assert.equal(other.sink.size, 3);
  });

test('a store that falls back behind its owner is noticed, not asked for work for ever', async () => {
  let store = newStore();
  await append(store, [{ key: 's1' }]);
  const before = store;
  // Read, then lost: the store is the one of before the commit, and its owner the same.
  const rolledBack = newStore();
  await append(rolledBack, [{ key: 's1' }]);
  await rolledBack.claim(SHARD, 'a');
  const port = Object.assign(Object.create(null) as ShardStore, {
    claim: (...args: Parameters<ShardStore['claim']>) => before.claim(...args),
    load: (...args: Parameters<ShardStore['load']>) => store.load(...args),
    read: (...args: Parameters<ShardStore['read']>) => store.read(...args),
    release: (...args: Parameters<ShardStore['release']>) => store.release(...args),
    commit: async (...args: Parameters<ShardStore['commit']>) => {
      await before.commit(...args);
      store = rolledBack;
    },
  });
  const { forecaster, events } = start(port);
  await forecaster.handle(TICKET, NEVER);
  assert.ok(events.some(({ type }) => type === 'fenced'));
});

test('a step that throws gives back every slot, also those of series that ended in its batch', async () => {
  const store = newStore();
  await append(store, [{ key: 's1' }, { key: 's1', kind: 'end' }, { key: 's1' }, { key: 's2' }]);
  const engine = createSimEngine(createChainEngine({ slotsMax: 100 }), () => {
    throw new Error('The engine failed.');
  });
  const { forecaster } = start(store, { engine });
  await assert.rejects(forecaster.handle(TICKET, NEVER), /engine failed/);
  assert.equal(engine.used, 0);
});

test('the state of a quarantined series does not depend on the batch that its bad value was in', async () => {
  const rows: readonly Row[] = [{ key: 's1' }, { key: 's1', kind: 'nan' }, { key: 's1' }, { key: 's1' }];
  const [whole, single] = [newStore(), newStore()];
  await append(whole, rows);
  for (const row of rows) await append(single, [row]);
  for (const store of [whole, single]) await start(store).forecaster.handle(TICKET, NEVER);
  assert.deepEqual(await statesOf(whole), await statesOf(single));
});

test('a shard of another model is passed on with the next ticket and unchanged, and said once', async () => {
  const store = newStore();
  await append(store, [{ key: 's1' }]);
  await start(store).forecaster.handle(TICKET, NEVER);
  const before = await statesOf(store);
  await append(store, [{ key: 's1' }]);
  const { forecaster, sink, events, announced } = start(store, { owner: 'b', engine: otherEngine() });
  await forecaster.handle(TICKET, NEVER);
  await forecaster.handle(TICKET, NEVER);
  assert.deepEqual([...sink.lines()], []);
  assert.deepEqual(await statesOf(store), before);
  assert.equal(events.filter(({ type }) => type === 'model-foreign').length, 1);
  assert.equal(announced.length, 2);
  assert.ok(announced[0] < announced[1]);
  const own = start(store, { owner: 'c' });
  await own.forecaster.handle(TICKET, NEVER);
  assert.equal(own.sink.size, 1);
});

test('a shard that another took while it was to be passed on is not announced twice', async () => {
  const store = newStore();
  await append(store, [{ key: 's1' }]);
  await start(store).forecaster.handle(TICKET, NEVER);
  await append(store, [{ key: 's1' }]);
  const sleep = async (): Promise<void> => void (await store.claim(SHARD, 'c'));
  const { forecaster, events, announced } = start(store, { owner: 'b', engine: otherEngine(), sleep });
  await forecaster.handle(TICKET, NEVER);
  assert.deepEqual(announced, []);
  assert.ok(events.some(({ type }) => type === 'fenced'));
});

test('where no other forecaster can be, a shard of another model is taken, its series beginning anew', async () => {
  const changed = newStore();
  await append(changed, [{ key: 's1' }]);
  await start(changed).forecaster.handle(TICKET, NEVER);
  await append(changed, [{ key: 's1' }]);
  const { forecaster, sink, events } = start(changed, { engine: otherEngine(), owner: 'b', foreignModel: 'adopt' });
  await forecaster.handle(TICKET, NEVER);
  assert.deepEqual(
    events.filter(({ type }) => type === 'model-changed').map((event) => 'to' in event && event.to),
    [CHAIN_MODELS[1].digest],
  );
  assert.match([...sink.lines()].join(), /count=1i,.*steps=1i/);
});
