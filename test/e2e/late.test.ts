import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInfluxReader, createTopicProducer, ensureTopics, readDeadLetters } from '@tideline/adapters';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { tideline } from './command.ts';
import { ownEnvironment, startService } from './services.ts';

const TS = 1_700_000_000_000;

test('a late tick is refused with both times, comes back to nowhere by itself, and is stepped when an operator says so', async () => {
  const { kafka, influx } = stackAddresses();
  const topic = uniqueName('ticks');
  const database = uniqueName('late').replaceAll('-', '_');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: uniqueName('late'),
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=ticks`,
    TIDELINE_LATE: `${topic}=dead-letter`,
  };
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 1 }] });
  await using reader = createInfluxReader({ url: influx, database });
  await using _ingest = await startService('ingest', env);
  await using _forecaster = await startService('forecaster', env);
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  const tick = (ts: number, headers = {}) => ({
    key: 'A',
    value: JSON.stringify({ symbol: 'A', ts, price: 9 }),
    headers,
  });
  const late = tick(TS, { trace: 'ü-7' });
  await producer.send([tick(TS + 1_000), late, tick(TS + 2_000)]);
  const letters = () => readDeadLetters({ brokers: [kafka], topic: env.TIDELINE_DEAD_LETTER_TOPIC });
  const points = async () => {
    let count = 0;
    for await (const _ of reader.exportLines('forecast')) count += 1;
    return count;
  };
  await eventually(
    'two ticks are forecast and one is refused',
    async () => (await points()) === 4 && (await letters()).length === 1,
  );
  const [letter] = await letters();
  assert.equal(letter.code, 'LATE_RECORD');
  assert.match(letter.reason, /22:13:20\.000Z is before 2023-11-14T22:13:21\.000Z/);
  assert.equal(Buffer.from(letter.record.value ?? []).toString(), late.value);
  const headers = Object.entries(letter.record.headers).map(([name, values]) => [name, String(values)]);
  assert.deepEqual(Object.fromEntries(headers), late.headers);

  const redrive = (...args: string[]) => tideline(['dlq', 'redrive', ...args], { env });
  const [all, named] = await Promise.all([
    redrive('--all', '--json', '--dry-run'),
    redrive('--position', `${topic}/0/1`),
  ]);
  assert.deepEqual([JSON.parse(all.stdout).redriven, JSON.parse(all.stdout).late], [0, 1]);
  assert.equal(named.code, 78);
  assert.match(named.stderr, /late again: '--apply-late'/);
  const applied = await redrive('--all', '--apply-late');
  assert.equal(applied.code, 0, applied.stderr);
  await eventually('the late tick is forecast too', async () => (await points()) === 6);
  assert.equal((await letters()).length, 1, 'it is no new letter');
  await reader.dropDatabase();
});
