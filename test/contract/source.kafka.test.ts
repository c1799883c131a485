import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKafkaSource, createTopicProducer, ensureTopics, produceRecords } from '@tideline/adapters';
import { ConfigError, RetryableError, type Shard, shardName } from '@tideline/pipeline';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { type SourceLog, type SourceRecord, sourceContract } from './source.ts';
import { createLedger, type Ledger } from './source-ledger.ts';

const brokers = [stackAddresses().kafka];
const PARTITIONS = 4;

async function openLog(
  records: readonly SourceRecord[],
  settings: { sessionTimeoutMs?: number; hintIntervalMs?: number; share?: { index: number; count: number } } = {},
): Promise<SourceLog> {
  const topic = uniqueName('source');
  const groupId = uniqueName('group');
  await ensureTopics({ brokers, topics: [{ topic, partitions: PARTITIONS }] });
  const producer = await createTopicProducer({ brokers, topic });
  await produceRecords({ producer, records });
  return {
    createSource: (onError) => createKafkaSource({ brokers, topics: [topic], groupId, onError, ...settings }),
    append: async (more) => void (await produceRecords({ producer, records: more })),
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  };
}

sourceContract({ name: 'kafka source', open: openLog });

test('kafka source: shares are disjoint and together whole, and a successor of a dead process reads at once', async () => {
  const topic = uniqueName('source');
  const groupId = uniqueName('group');
  await ensureTopics({ brokers, topics: [{ topic, partitions: PARTITIONS }] });
  await using producer = await createTopicProducer({ brokers, topic });
  const records = Array.from({ length: 300 }, (_, index) => ({ key: `s${index % 40}`, value: `${index}` }));
  await produceRecords({ producer, records });
  const ledgers = [createLedger(), createLedger()];
  const partitions = [new Set<number>(), new Set<number>()];
  const openShare = async (index: number, ledger: Ledger) => {
    const source = createKafkaSource({
      brokers,
      topics: [topic],
      groupId,
      share: { index, count: 2 },
      sessionTimeoutMs: 30_000,
    });
    await source.run({
      ...ledger.handler,
      start: (shard) => {
        partitions[index].add(shard.partition);
        return ledger.handler.start(shard);
      },
    });
    return source;
  };
  await using _first = await openShare(0, ledgers[0]);
  // As after a kill: this one never says goodbye, and its session would last half a minute.
  await using _dead = await openShare(1, createLedger());
  await using _second = await openShare(1, ledgers[1]);
  await eventually('both shares are read', () => heldBy(ledgers[0]) + heldBy(ledgers[1]) === records.length, 10_000);
  assert.deepEqual(
    partitions.map((set) => [...set].sort()),
    [
      [0, 2],
      [1, 3],
    ],
  );
});

test('kafka source: an end in the middle of telling the group leaves no connection behind', async () => {
  const records = Array.from({ length: 40 }, (_, index) => ({ key: `s${index}`, value: `${index}` }));
  await using log = await openLog(records, { share: { index: 0, count: 1 }, hintIntervalMs: 5 });
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  const before = sockets();
  const ledger = createLedger();
  const source = log.createSource(ledger.onError);
  await source.run(ledger.handler);
  await eventually('all are read', () => heldBy(ledger) === records.length, 10_000);
  await source.drain();
  await eventually('every connection is closed', () => sockets() <= before, 5_000);
});

test('kafka source: a shard positioned anew is read again from where the handler says, although nothing new arrives', async () => {
  const records = Array.from({ length: 400 }, (_, index) => ({ key: `s${index % 40}`, value: `${index}` }));
  await using log = await openLog(records);
  const ledger = createLedger();
  const shards = new Map<string, Shard>();
  await using source = log.createSource(ledger.onError);
  await source.run({
    ...ledger.handler,
    start: (shard) => {
      shards.set(shardName(shard), shard);
      return ledger.handler.start(shard);
    },
  });
  await ledger.holds(records.length);
  for (let round = 0; round < 2; round += 1) {
    assert.ok(ledger.forgetLast(7) > 7);
    await eventually('every shard is read again', () => {
      // Nothing happens while a batch is under way: it is asked again, as the sweep of ingest does.
      for (const shard of shards.values()) source.reposition(shard);
      return ledger.shards().every(({ head, offsets }) => head === offsets.length) && heldBy(ledger) === records.length;
    });
  }
  for (let key = 0; key < 40; key += 1) {
    const expected = records.filter((record) => record.key === `s${key}`).map((record) => record.value);
    assert.deepEqual(ledger.valuesOf(`s${key}`), expected);
  }
});

function heldBy(ledger: Ledger): number {
  return ledger.shards().reduce((sum, { offsets }) => sum + offsets.length, 0);
}

test('kafka source: a shard that is held back stops no other shard and does not cost the membership', async () => {
  const records = Array.from({ length: 2_000 }, (_, index) => ({ key: `s${index % 40}`, value: `${index}` }));
  await using log = await openLog(records, { sessionTimeoutMs: 1_500 });
  const ledger = createLedger();
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const starts: number[] = [];
  let held = -1;
  await using source = log.createSource(ledger.onError);
  await source.run({
    start(shard) {
      starts.push(shard.partition);
      return ledger.handler.start(shard);
    },
    async batch(batch) {
      if (held < 0) held = batch.shard.partition;
      if (batch.shard.partition === held) await gate;
      return ledger.handler.batch(batch);
    },
  });
  await eventually(
    'the other shards are read',
    () => ledger.shards().filter(({ head }) => head !== null).length === PARTITIONS - 1,
  );
  // Twice the session timeout: without heartbeats the group would have thrown the member out by now.
  const until = Date.now() + 3_000;
  await eventually('time passes', () => Date.now() > until);
  assert.equal(starts.length, PARTITIONS);
  open();
  await ledger.holds(records.length);
  assert.equal(starts.length, PARTITIONS, 'no partition was assigned anew');
});

test('kafka source: two members share the partitions, and one takes over what the other leaves', async () => {
  const records = Array.from({ length: 400 }, (_, index) => ({ key: `s${index % 40}`, value: `${index}` }));
  await using log = await openLog(records);
  const ledger = createLedger();
  const first = log.createSource(ledger.onError);
  await first.run(ledger.handler);
  await ledger.holds(400);
  await using second = log.createSource(ledger.onError);
  await second.run(ledger.handler);
  await log.append?.(records);
  await ledger.holds(800);
  await first.drain();
  await log.append?.(records);
  await ledger.holds(1_200);
});

test('kafka source: a wrong address is told with the address and the cure', async () => {
  await using source = createKafkaSource({ brokers: ['127.0.0.1:1'], topics: ['ticks'], groupId: 'g' });
  await assert.rejects(source.run(createLedger().handler), (error: Error) => {
    assert.ok(error instanceof RetryableError);
    assert.match(error.message, /127\.0\.0\.1:1 .*Start Kafka there, or correct the address/);
    return true;
  });
  assert.throws(() => createKafkaSource({ brokers: ['kafka://x'], topics: ['ticks'], groupId: 'g' }), ConfigError);
});

test('kafka source: an unknown topic is told by its name', async () => {
  const topic = uniqueName('absent');
  await using source = createKafkaSource({ brokers, topics: [topic], groupId: 'g' });
  await assert.rejects(source.run(createLedger().handler), (error: Error) => {
    assert.ok(error instanceof ConfigError);
    assert.ok(error.message.includes(`'${topic}' does not exist`));
    return true;
  });
});

test('kafka source: a position beyond the end of the topic is an error, not a silent start elsewhere', async () => {
  await using log = await openLog([{ key: 'a', value: '1' }]);
  const errors: Error[] = [];
  await using source = log.createSource((error) => void errors.push(error));
  await source.run({ start: async () => 1_000, batch: async () => assert.fail('nothing is delivered') });
  await eventually('the error is told', () => errors.length > 0);
  assert.match(errors[0].message, /made anew/);
});

test('kafka source: a handler that throws is told, and its shard is not read on', async () => {
  await using log = await openLog([{ key: 'a', value: '1' }]);
  const errors: Error[] = [];
  let calls = 0;
  await using source = log.createSource((error) => void errors.push(error));
  await source.run({
    start: async () => null,
    batch: async () => {
      calls += 1;
      throw new Error('A fault of the handler.');
    },
  });
  await eventually('the error is told', () => errors.length > 0);
  await log.append?.([{ key: 'a', value: '2' }]);
  const until = Date.now() + 500;
  await eventually('time passes', () => Date.now() > until);
  assert.equal(calls, 1);
});
