import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKafkaCheckpointLog, ensureTopics } from '@tideline/adapters';
import { ConfigError, RetryableError } from '@tideline/pipeline';
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
