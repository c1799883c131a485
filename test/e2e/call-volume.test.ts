/** Calls to come on the real stack: from Kafka to InfluxDB and the gateway, while a forecaster is killed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createInfluxReader,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  sortedLine,
} from '@tideline/adapters';
import { loadModel } from '@tideline/nn';
import { digestOfLines } from '@tideline/pipeline';
import { createStream, generatedCallVolume } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { offlinePass, readTopic } from './offline-pass.ts';
import { ownEnvironment, ROOT, startService } from './services.ts';

const DEADLINE_MS = 120_000;
const MODEL = 'call-volume-gru';

test('calls to come and agents are in InfluxDB, equal to an offline pass, although a forecaster was killed; a bad record is a dead letter', async () => {
  const { kafka, redis, influx } = stackAddresses();
  const prefix = uniqueName('volume');
  const database = uniqueName('volume').replaceAll('-', '_');
  const topic = uniqueName('call-volume');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: prefix,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=call-volume`,
    TIDELINE_CHUNK_ROWS_MAX: '100',
    TIDELINE_BATCH_ENTRIES_MAX: '2',
  };
  const records = [...generatedCallVolume({ seed: 9, days: 8 })];
  const bad = { topic, key: 'billing', value: '{"queue":"billing","ts":1704700000000,"calls":-3}', timestampMs: 1 };
  const sent = [...records.slice(0, 500), bad, ...records.slice(500)];
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 4 }] });
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  await producer.send(sent);
  await using reader = createInfluxReader({ url: influx, database });
  await using store = await createRedisShardStore({ url: redis, prefix, logBytesMax: 1, onWarning: () => undefined });
  await using _ingest = await startService('ingest', env);
  const first = await startService('forecaster', env);
  const processed = async (): Promise<number> =>
    (await store.status()).reduce((sum, { position }) => sum + position, 0);
  await eventually('a tenth of the records processed', async () => (await processed()) > sent.length / 10, DEADLINE_MS);
  await first.kill();
  await using _second = await startService('forecaster', env);
  await eventually('all records processed', async () => (await processed()) === sent.length, DEADLINE_MS);

  const { model } = await loadModel(join(ROOT, 'models', MODEL, 'model.tdl'));
  const all = await readTopic({ brokers: kafka, topic, records: sent.length });
  const expected = (await offlinePass(createStream('call-volume', { modelName: MODEL }), model, all)).map(sortedLine);
  const found: string[] = [];
  for await (const line of reader.exportLines('arrivals')) found.push(line);
  assert.ok(found.length > 3 * records.length, `${found.length} points`);
  assert.equal(digestOfLines(found), digestOfLines(expected));
  const letters = await readTopic({ brokers: kafka, topic: env.TIDELINE_DEAD_LETTER_TOPIC, records: 1 });
  assert.match(String([...letters.values()].flat()[0].value), /"calls":-3/);
  await reader.dropDatabase();
});
