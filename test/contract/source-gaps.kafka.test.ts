/** Offsets that nobody will ever see: markers of transactions, records of aborted ones, records that compaction took away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createKafkaCheckpointLog,
  createKafkaSource,
  createTopicProducer,
  ensureTopics,
  topicRanges,
} from '@tideline/adapters';
import type { CheckpointLog, SourceHandler } from '@tideline/pipeline';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { createLedger } from './source-ledger.ts';

const brokers = [stackAddresses().kafka];
const SHARD = { topic: 'a', partition: 0 };

function sourceOf(topic: string) {
  return createKafkaSource({ brokers, topics: [topic], groupId: uniqueName('group') });
}

/** Writes the keys in one transaction, and ends it so. */
async function transact(log: CheckpointLog, keys: readonly string[], end: 'commit' | 'abort'): Promise<void> {
  const writer = await log.begin(SHARD);
  await writer.write(keys.map((key) => ({ key, bytes: Buffer.from(`${end} ${key}`) })));
  if (end === 'commit') await writer.commit({ shard: SHARD, position: 0, epoch: 0, model: '', atMs: 0 });
  await writer.close();
}

test('kafka source: records of aborted transactions never arrive, and reading goes on across them and their markers', async () => {
  const topic = uniqueName('transactions');
  await ensureTopics({ brokers, topics: [{ topic, partitions: 1, config: { 'cleanup.policy': 'compact' } }] });
  await using log = await createKafkaCheckpointLog({ brokers, topic });
  await using producer = await createTopicProducer({ brokers, topic });
  const ledger = createLedger();
  await transact(log, ['k1', 'k2'], 'abort');
  await producer.send([{ key: 'plain', value: '1' }]);
  await transact(log, ['k1', 'k2', 'k3'], 'commit');
  await transact(log, ['k4', 'k5'], 'abort');
  {
    await using first = sourceOf(topic);
    await first.run(ledger.handler);
    await ledger.holds(1 + 3 + 1);
  }
  // The head now lies before the records and the marker of the aborted transaction, or on one of them.
  await transact(log, ['k4'], 'abort');
  await using second = sourceOf(topic);
  await second.run(ledger.handler);
  await transact(log, ['k6'], 'commit');
  await transact(log, ['k7'], 'abort');
  await producer.send([{ key: 'plain', value: '2' }]);
  await ledger.holds(1 + 3 + 1 + 1 + 1 + 1);
  const [{ offsets, values }] = ledger.shards();
  const written = values.filter((value) => !value.startsWith('{'));
  assert.deepEqual(written, ['1', 'commit k1', 'commit k2', 'commit k3', 'commit k6', '2']);
  assert.equal(ledger.deliveries(), offsets.length, 'nothing came twice');
  const [{ high }] = (await topicRanges({ brokers, topics: [topic] })).get(topic) ?? [];
  assert.ok(high - offsets.length >= 12, 'six records and six markers stand between');
});

const COMPACTED = {
  'cleanup.policy': 'compact',
  'segment.ms': '50',
  'min.cleanable.dirty.ratio': '0.01',
  'max.compaction.lag.ms': '100',
} as const;

test('kafka source: what compaction took away is a gap and nothing else, also where the head lies in it', {
  timeout: 90_000,
}, async (t) => {
  const topic = uniqueName('compacted');
  await ensureTopics({ brokers, topics: [{ topic, partitions: 1, config: COMPACTED }] });
  await using producer = await createTopicProducer({ brokers, topic });
  const send = (from: number, count: number) =>
    producer.send(Array.from({ length: count }, (_, i) => ({ key: `k${(from + i) % 5}`, value: `${from + i}` })));
  await send(0, 200);
  // The newest segment is never compacted: a later record closes it.
  let written = 200;
  let found: readonly number[] = [];
  await eventually(
    'compaction has taken records away',
    async () => {
      await send(written, 1);
      written += 1;
      found = await offsetsFrom(topic, 0, written);
      return found.length < written - 100;
    },
    60_000,
  );
  t.diagnostic(`${written} records written, ${found.length} left`);
  const gap = found.findIndex((offset, i) => i > 0 && offset > found[i - 1] + 1);
  assert.ok(gap > 0 || found[0] > 0);
  const head = found[Math.max(gap, 0)] - 1;
  assert.ok(!found.includes(head));
  assert.deepEqual((await offsetsFrom(topic, head, written))[0] > head, true);
});

/** Offsets that a source delivers from `head` on, up to the newest record. Every batch must join on to the one before. */
async function offsetsFrom(topic: string, head: number, end: number): Promise<number[]> {
  const offsets: number[] = [];
  let next = head;
  const handler: SourceHandler = {
    start: async () => next,
    async batch(batch) {
      assert.equal(batch.from, next);
      for (const { offset, value } of batch.records) {
        assert.ok(offset >= next && offset < batch.next);
        assert.equal(Buffer.from(value ?? []).toString(), String(offset));
        offsets.push(offset);
      }
      next = batch.next;
      return { seek: null };
    },
  };
  await using source = sourceOf(topic);
  await source.run(handler);
  await eventually('the newest record is read', () => next >= end);
  return offsets;
}
