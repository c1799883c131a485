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
import { createCallStream, generatedCalls } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { offlinePass, readTopic } from './offline-pass.ts';
import { ownEnvironment, ROOT, startService } from './services.ts';

test('calls flow from Kafka to sentiment points and summaries equal to an offline pass, and an ended call leaves no state behind', async () => {
  const { kafka, redis, influx } = stackAddresses();
  const topic = uniqueName('calls');
  const prefix = uniqueName('e2e');
  const database = uniqueName('e2e').replaceAll('-', '_');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: prefix,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=calls`,
  };
  const records = [...generatedCalls({ seed: 3, calls: 150 })];
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 4 }] });
  await using reader = createInfluxReader({ url: influx, database });
  await using store = await createRedisShardStore({ url: redis, prefix, logBytesMax: 1, onWarning: () => undefined });
  await using _ingest = await startService('ingest', env);
  await using _forecaster = await startService('forecaster', env);
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  await producer.send(records);
  const shards = await eventually('every shard drained', async () => {
    const status = await store.status();
    const done = status.reduce((sum, { position }) => sum + position, 0) === records.length;
    return done && status.every(({ head, position }) => head === position) ? status : null;
  });
  assert.equal(
    shards.reduce((sum, { series }) => sum + series, 0),
    0,
    'every call has ended, so no state is kept',
  );
  const { model } = await loadModel(join(ROOT, 'models', 'calls-gru', 'model.tdl'));
  const summary = await loadModel(join(ROOT, 'models', 'calls-summary', 'model.tdl'));
  const expected = await offlinePass(
    createCallStream({ modelName: 'calls-gru', points: ['summary'], summaryModel: summary.model }),
    model,
    await readTopic({ brokers: kafka, topic, records: records.length }),
  );
  const found: string[] = [];
  for await (const line of reader.exportLines('sentiment')) found.push(line);
  assert.equal(
    found.length,
    records.filter(({ value }) => value.includes('"final":true')).length,
    'a point for each final utterance',
  );
  const summaries: string[] = [];
  for await (const line of reader.exportLines('call_summary')) summaries.push(line);
  assert.equal(summaries.length, 150, 'each call is told once');
  found.push(...summaries);
  assert.equal(digestOfLines(found), digestOfLines(expected.map(sortedLine)));
  await reader.dropDatabase();
});
