import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKafkaCheckpointLog, ensureTopics } from '@tideline/adapters';
import { ConfigError, RetryableError, shardName } from '@tideline/pipeline';
import { stackAddresses, uniqueName } from '../stack/index.ts';
import { checkpointLogContract } from './checkpoint-log.ts';

const brokers = [stackAddresses().kafka];

checkpointLogContract({
  name: 'Kafka checkpoints',
  open: () => createKafkaCheckpointLog({ brokers, topic: uniqueName('checkpoints'), partitions: 2 }),
});

test('Kafka checkpoints: a topic that forgets by age is refused, and a wrong address is told', async () => {
  const topic = uniqueName('aging');
  await ensureTopics({ brokers, topics: [{ topic, partitions: 1 }] });
  await assert.rejects(createKafkaCheckpointLog({ brokers, topic }), ConfigError);
  await assert.rejects(createKafkaCheckpointLog({ brokers: ['127.0.0.1:1'] }), RetryableError);
});

test('Kafka checkpoints: one that an unfinished checkpoint of another shard hides is waited for, not taken for none', async () => {
  const [shard, other] = [3, 4].map((partition) => ({ topic: 'ticks-a', partition }));
  await using log = await createKafkaCheckpointLog({ brokers, topic: uniqueName('checkpoints'), partitions: 1 });
  const unfinished = await log.begin(other);
  await unfinished.write([{ key: 'A', bytes: Buffer.from('a') }]);
  const writer = await log.begin(shard);
  const committed = writer.commit({ shard, position: 10, epoch: 2, model: 'abc', atMs: 5 });
  assert.equal((await log.read([shard], { takeOver: false, settled: false })).size, 0, 'hidden');
  const settled = log.read([shard], { takeOver: false, settled: true });
  await unfinished.close();
  assert.equal((await settled).get(shardName(shard))?.marker.position, 10);
  await committed;
  await writer.close();
});
