import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createInfluxReader,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  readDeadLetters,
  sortedLine,
} from '@tideline/adapters';
import { loadModel } from '@tideline/nn';
import { digestOfLines } from '@tideline/pipeline';
import { createTickStream, generatedTicks } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { offlinePass, readTopic } from './offline-pass.ts';
import { ownEnvironment, ROOT, startService } from './services.ts';

const TICKS = 50_000;
const SYMBOLS = 200;
const DEADLINE_MS = 240_000;

const POISON = [
  { key: 'GEN001', value: '{"symbol":"GEN001","ts":', reason: /not JSON/ },
  { key: 'GEN002', value: '{"symbol":"GEN002","ts":1700000000,"price":10,"size":1}', reason: /looks like seconds/ },
  { key: 'GEN003', value: '{"symbol":"GEN003","ts":1700000000000,"price":-1}', reason: /'price' is -1/ },
  { key: 'GEN004', value: '{"symbol":"OTHER","ts":1700000000000,"price":1}', reason: /key is 'GEN004'/ },
] as const;

const PROMISE =
  '50,000 ticks of 200 symbols all have their forecasts in InfluxDB, equal to an offline pass to the bit, ' +
  'although a forecaster was killed in the middle';

test(PROMISE, async (t) => {
  const { kafka, redis, influx } = stackAddresses();
  const topic = uniqueName('ticks');
  const deadLetterTopic = uniqueName('dead-letters');
  const prefix = uniqueName('e2e');
  const database = uniqueName('e2e').replaceAll('-', '_');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: prefix,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=ticks`,
    TIDELINE_DEAD_LETTER_TOPIC: deadLetterTopic,
    // Many small batches, so that the kill lands between the steps of one.
    TIDELINE_CHUNK_ROWS_MAX: '200',
    TIDELINE_BATCH_ENTRIES_MAX: '2',
  };
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 4 }] });
  await using reader = createInfluxReader({ url: influx, database });
  await using store = await createRedisShardStore({ url: redis, prefix, logBytesMax: 1, onWarning: () => undefined });
  await using ingest = await startService('ingest', env);
  const first = await startService('forecaster', env);
  await produce(kafka, topic);
  const processed = async (): Promise<number> =>
    (await store.status()).reduce((sum, { position }) => sum + position, 0);
  await eventually('a fifth of the records processed', async () => (await processed()) > TICKS / 5, DEADLINE_MS);
  await first.kill();
  const atKill = await processed();
  assert(atKill < TICKS, `the forecaster was killed in the middle, at ${atKill} records`);
  await using second = await startService('forecaster', env);
  await eventually(
    'every shard drained',
    async () => isDrained(await store.status(), TICKS + POISON.length),
    DEADLINE_MS,
  );

  const stream = createTickStream({ modelName: 'ticks-lstm' });
  const { model } = await loadModel(join(ROOT, 'models', 'ticks-lstm', 'model.tdl'));
  const shards = await readTopic({ brokers: kafka, topic, records: TICKS + POISON.length });
  const expected = (await offlinePass(stream, model, shards)).map(sortedLine);
  const found: string[] = [];
  for await (const line of reader.exportLines('forecast')) found.push(line);
  assert.equal(expected.length, 2 * TICKS, 'two horizons a tick');
  assert.equal(found.length, expected.length, 'no forecast is missing and none is there twice');
  assert.equal(digestOfLines(found), digestOfLines(expected));

  const letters = await readDeadLetters({ brokers: [kafka], topic: deadLetterTopic });
  assert.equal(letters.length, POISON.length);
  for (const { reason } of POISON)
    assert(
      letters.some((letter) => reason.test(letter.reason)),
      `a dead letter says ${reason}`,
    );
  t.diagnostic(`killed at ${atKill} records; digest ${digestOfLines(found)}`);
  assert.equal(await second.stop(), 0, 'SIGTERM ends a forecaster cleanly');
  assert.equal(await ingest.stop(), 0, 'SIGTERM ends ingest cleanly');
  await reader.dropDatabase();
});

async function produce(kafka: string, topic: string): Promise<void> {
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  const ticks = [...generatedTicks({ seed: 7, symbols: SYMBOLS, records: TICKS })];
  const every = Math.floor(TICKS / POISON.length);
  for (let at = 0; at < TICKS; at += every) {
    await producer.send(ticks.slice(at, at + every));
    const poison = POISON[at / every];
    if (poison) await producer.send([poison]);
  }
}

function isDrained(shards: readonly { readonly head: number; readonly position: number }[], records: number): boolean {
  const heads = shards.reduce((sum, { head }) => sum + head, 0);
  return heads === records && shards.every(({ head, position }) => head === position);
}
