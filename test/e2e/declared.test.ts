/** Streams that files declare, on the real stack: raw outputs of every record, and quantile forecasts of bars, while a forecaster is killed. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createInfluxReader,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  sortedLine,
} from '@tideline/adapters';
import { createModel, initWeights, type Model, saveModel } from '@tideline/nn';
import { digestOfLines } from '@tideline/pipeline';
import { createStream, generatedTicks, mulberry32 } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { offlinePass, readTopic } from './offline-pass.ts';
import { ownEnvironment, ROOT, startService } from './services.ts';

const TICKS = 6_000;
const DEADLINE_MS = 120_000;
const PEERS = join(ROOT, 'test', 'bench', 'peers', 'tideline', 'stream.yaml');
const BARS = `
name: bars
key: symbol
time: ts
fields: {price: {above: 0}, size: {at_least: 0}}
bars: {kind: ticks, count: 10, price: price, volume: size}
features:
  - {op: log_return, of: close, name: r, input: false}
  - {op: volatility, of: r, name: sigma, input: false}
  - {op: ratio, of: [r, sigma], clip: 8}
  - {op: relative, of: [high, low], scale: 100}
  - {op: z_score, of: volume, window: 5}
  - {op: split_guard, of: close, jump: 0.001, name: guarded}
output: {kind: quantiles, of: guarded, last: close, unit: sigma, horizons: [1, 4]}
point: {measurement: bar_forecast, with: [offset, partition, volume]}
warm_up: 2`;

test('streams declared in files have all their points in InfluxDB, equal to an offline pass, although a forecaster was killed', async () => {
  const { kafka, redis, influx } = stackAddresses();
  const folder = await mkdtemp(join(tmpdir(), 'tideline-declared-'));
  await writeFile(join(folder, 'bars.yaml'), BARS);
  const prefix = uniqueName('declared');
  const database = uniqueName('declared').replaceAll('-', '_');
  const streams = new Map([
    [uniqueName('peers'), PEERS],
    [uniqueName('bars'), join(folder, 'bars.yaml')],
  ]);
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: prefix,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: [...streams].map(([topic, path]) => `${topic}=${path}`).join(','),
    TIDELINE_MODELS: folder,
    TIDELINE_CHUNK_ROWS_MAX: '200',
    TIDELINE_BATCH_ENTRIES_MAX: '2',
  };
  const models = {
    'peers-lstm': await randomModel(folder, 'peers-lstm', 4, 3),
    bars: await randomModel(folder, 'bars', 4, 6),
  };
  const topics = [...streams.keys()].map((topic) => ({ topic, partitions: 4 }));
  await ensureTopics({ brokers: [kafka], topics });
  for (const { topic } of topics) {
    await using producer = await createTopicProducer({ brokers: [kafka], topic });
    await producer.send([...generatedTicks({ seed: 5, symbols: 40, records: TICKS })]);
  }
  await using reader = createInfluxReader({ url: influx, database });
  await using store = await createRedisShardStore({ url: redis, prefix, logBytesMax: 1, onWarning: () => undefined });
  await using ingest = await startService('ingest', env);
  const first = await startService('forecaster', env);
  const processed = async (): Promise<number> =>
    (await store.status()).reduce((sum, { position }) => sum + position, 0);
  await eventually('a tenth of the records processed', async () => (await processed()) > TICKS / 5, DEADLINE_MS);
  await first.kill();
  await using second = await startService('forecaster', env);
  await eventually('all records processed', async () => (await processed()) === 2 * TICKS, DEADLINE_MS);

  const expected: string[] = [];
  for (const [topic, path] of streams) {
    const name = path === PEERS ? 'peers-lstm' : 'bars';
    const records = await readTopic({ brokers: kafka, topic, records: TICKS });
    const lines = await offlinePass(createStream(path, { modelName: name }), models[name], records);
    expected.push(...lines.map(sortedLine));
  }
  const found: string[] = [];
  for (const measurement of ['forecast', 'bar_forecast', 'alert'])
    for await (const line of reader.exportLines(measurement)) found.push(line);
  // Bars of a volatile symbol jump that far now and then: each jump is an alert.
  for (const [start, min] of [
    ['forecast,symbol=', TICKS / 2],
    ['bar_forecast,horizon=', TICKS / 10],
    ['alert,kind=jump', 1],
  ] as const)
    assert(expected.filter((line) => line.startsWith(start)).length >= min, `too few points '${start}'`);
  // Raw points have the event time itself: two ticks of a symbol in one millisecond are one point, the later.
  assert.equal(digestOfLines(found), digestOfLines(expected));
  assert.equal(await second.stop(), 0);
  assert.equal(await ingest.stop(), 0);
  await reader.dropDatabase();
  await rm(folder, { recursive: true });
});

async function randomModel(folder: string, name: string, inputSize: number, outputSize: number): Promise<Model> {
  const spec = { name, cell: 'lstm', inputSize, hiddenSize: 16, layers: 1, outputSize } as const;
  const model = createModel(spec, initWeights(spec, mulberry32(2)));
  await saveModel(join(folder, name, 'model.tdl'), model, {});
  return model;
}
