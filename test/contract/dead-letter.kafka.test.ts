import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKafkaDeadLetterSink, readDeadLetters } from '@tideline/adapters';
import { RetryableError } from '@tideline/pipeline';
import { stackAddresses, uniqueName } from '../stack/index.ts';
import { deadLetterContract } from './dead-letter.ts';

const brokers = [stackAddresses().kafka];

async function openStore() {
  const topic = uniqueName('dead-letters');
  const sink = await createKafkaDeadLetterSink({ brokers, topic });
  return {
    sink,
    read: () => readDeadLetters({ brokers, topic }),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

deadLetterContract({ name: 'Kafka dead letters', open: openStore });

test('Kafka dead letters: a letter that was redriven can be forgotten', async () => {
  await using store = await openStore();
  const record = { offset: 5, key: null, value: Buffer.from('x'), timestampMs: 1, headers: {} };
  const place = { shard: { topic: 'ticks', partition: 2 }, offset: 5 };
  const letter = { code: 'POISON_RECORD', ...place, reason: 'r', field: '', record } as const;
  await store.sink.write([letter, { ...letter, offset: 6, record: { ...record, offset: 6 } }]);
  await store.sink.forget([letter]);
  assert.deepEqual(
    (await store.read()).map(({ offset }) => offset),
    [6],
  );
});

test('Kafka dead letters: a topic that does not exist holds none, and a wrong address is told', async () => {
  assert.deepEqual(await readDeadLetters({ brokers, topic: uniqueName('absent') }), []);
  await assert.rejects(readDeadLetters({ brokers: ['127.0.0.1:1'] }), RetryableError);
  await assert.rejects(createKafkaDeadLetterSink({ brokers: ['127.0.0.1:1'] }), RetryableError);
});
