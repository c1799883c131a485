/** A call model that reads a sentence encoder, on the real servers. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createInfluxReader,
  createOnnxSentenceEncoder,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  sortedLine,
} from '@tideline/adapters';
import { createModel, initWeights, type Model, type ModelSpec, SeededRandom, saveModel } from '@tideline/nn';
import { digestOfLines } from '@tideline/pipeline';
import { callInputSize, createCallStream, generatedCalls, type SentenceEncoder } from '@tideline/streams';
import { SENTENCE_ENCODER } from '../golden/sentence/sentence.ts';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { offlinePass, readTopic } from './offline-pass.ts';
import { ownEnvironment, startService } from './services.ts';

const CALLS = 300;
const DEADLINE_MS = 240_000;

/** Untrained: what is asked here is whether the same bits come, not whether they are good. */
function modelOf({ size, digest }: SentenceEncoder): Model {
  const spec: ModelSpec = {
    ...{ name: 'calls-gru', cell: 'gru', hiddenSize: 16, layers: 1, outputSize: 3, inputLayer: 24 },
    ...{ embedding: { buckets: 256, size: 8 }, sentenceEncoder: { size, digest } },
    inputSize: callInputSize({ embedding: 8, sentence: size, words: true }),
    head: { kind: 'classes', groups: [{ name: 'sentiment', classes: ['negative', 'neutral', 'positive'] }] },
  };
  const random = new SeededRandom(4);
  return createModel(
    spec,
    initWeights(spec, () => random.next()),
  );
}

test('forecasts by a sentence encoder equal an offline pass to the bit, although a forecaster was killed in the middle', async (t) => {
  const { kafka, redis, influx } = stackAddresses();
  const topic = uniqueName('calls');
  const prefix = uniqueName('e2e');
  const database = uniqueName('e2e').replaceAll('-', '_');
  const models = await mkdtemp(join(tmpdir(), 'tideline-models-'));
  t.after(() => rm(models, { recursive: true, force: true }));
  const sentenceEncoder = await createOnnxSentenceEncoder({ folder: SENTENCE_ENCODER });
  const model = modelOf(sentenceEncoder);
  await saveModel(join(models, model.spec.name, 'model.tdl'), model, {});
  const env = {
    ...ownEnvironment(),
    ...{ TIDELINE_REDIS_PREFIX: prefix, TIDELINE_INFLUX_DATABASE: database, TIDELINE_STREAMS: `${topic}=calls` },
    ...{ TIDELINE_MODELS: models, TIDELINE_CALL_POINTS: 'none' },
    // Many small batches, so that the kill lands between them.
    ...{ TIDELINE_CHUNK_ROWS_MAX: '50', TIDELINE_BATCH_ENTRIES_MAX: '1' },
  };
  const served = { ...env, TIDELINE_SENTENCE_ENCODER: `${topic}=${SENTENCE_ENCODER}` };
  await assert.rejects(startService('forecaster', env), /was trained with a sentence encoder .*: name its folder/);
  const records = [...generatedCalls({ seed: 9, calls: CALLS })];
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 4 }] });
  await using reader = createInfluxReader({ url: influx, database });
  await using store = await createRedisShardStore({ url: redis, prefix, logBytesMax: 1, onWarning: () => undefined });
  await using _ingest = await startService('ingest', env);
  const first = await startService('forecaster', served);
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  await producer.send(records);
  const processed = async (): Promise<number> =>
    (await store.status()).reduce((sum, { position }) => sum + position, 0);
  await eventually(
    'a tenth of the records processed',
    async () => (await processed()) > records.length / 10,
    DEADLINE_MS,
  );
  await first.kill();
  const atKill = await processed();
  assert(atKill < records.length, `the forecaster was killed in the middle, at ${atKill} records`);
  await using _second = await startService('forecaster', served);
  await eventually('every shard drained', async () => (await processed()) === records.length, DEADLINE_MS);
  const stream = createCallStream({ modelName: model.spec.name, model, sentenceEncoder });
  const shards = await readTopic({ brokers: kafka, topic, records: records.length });
  const expected = (await offlinePass(stream, model, shards)).map(sortedLine);
  const found: string[] = [];
  for await (const line of reader.exportLines('sentiment')) found.push(line);
  assert.equal(found.length, records.filter(({ value }) => value.includes('"final":true')).length);
  assert.equal(digestOfLines(found), digestOfLines(expected));
  t.diagnostic(`killed at ${atKill} of ${records.length} records; digest ${digestOfLines(found)}`);
  await reader.dropDatabase();
});
