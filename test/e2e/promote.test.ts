import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createInfluxReader,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  openRedis,
  sortedLine,
} from '@tideline/adapters';
import { startRedis } from '@tideline/native';
import { createModel, initWeights, loadModel, saveModel } from '@tideline/nn';
import { digestOfLines, type RawRecord, type Shard, shardName } from '@tideline/pipeline';
import { createTickStream, generatedTicks, mulberry32 } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { tideline } from './command.ts';
import { offlinePass, readTopic } from './offline-pass.ts';
import { ownEnvironment, ROOT, startService } from './services.ts';

const TICKS = 4_000;
const PARTITIONS = 2;
const DEADLINE_MS = 60_000;

const PROMISE =
  'a second model beside the first changes nothing until it is promoted; then every record from one position of each shard on is its own, with states that ' +
  'begin there, also after Redis was erased';

test(PROMISE, async (t) => {
  const { kafka, influx } = stackAddresses();
  const folder = await mkdtemp(join(tmpdir(), 'tideline-promote-'));
  const server = await startRedis({ folder });
  const topic = uniqueName('ticks');
  const database = uniqueName('promote').replaceAll('-', '_');
  const models = join(folder, 'models');
  await cp(join(ROOT, 'models', 'ticks-lstm'), join(models, 'ticks-lstm'), { recursive: true });
  const { model: first } = await loadModel(join(models, 'ticks-lstm', 'model.tdl'));
  const spec = { ...first.spec, name: 'ticks-v2' };
  const second = createModel(spec, initWeights(spec, mulberry32(7)));
  await saveModel(join(models, 'ticks-v2', 'model.tdl'), second, {});
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_URL: server.address,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=ticks`,
    TIDELINE_CHECKPOINT_TOPIC: uniqueName('checkpoints'),
    TIDELINE_CHECKPOINT_INTERVAL_MS: '200',
    TIDELINE_MODELS: models,
  };
  const redis = await openRedis(server.address, { name: 'test', onWarning: () => undefined });
  try {
    await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: PARTITIONS }] });
    await using reader = createInfluxReader({ url: influx, database });
    await using store = await createRedisShardStore({
      url: server.address,
      logBytesMax: 1,
      onWarning: () => undefined,
    });
    await using producer = await createTopicProducer({ brokers: [kafka], topic });
    await using ingest = await startService('ingest', env);
    await using old = await startService('forecaster', env);
    const later = { ...env, TIDELINE_MODEL: `${topic}=ticks-v2` };
    const ticks = [...generatedTicks({ seed: 6, symbols: 40, records: TICKS })];
    const position = async (): Promise<number> =>
      (await store.status()).reduce((sum, shard) => sum + Math.max(0, shard.position), 0);

    await producer.send(ticks.slice(0, TICKS / 4));
    await eventually('the first records done', async () => (await position()) === TICKS / 4, DEADLINE_MS);
    await using young = await startService('forecaster', later);
    await producer.send(ticks.slice(TICKS / 4, TICKS / 2));
    await eventually('both side by side', async () => (await position()) === TICKS / 2, DEADLINE_MS);

    assert.match((await tideline(['doctor'], { env: later })).stdout, /FAIL +models .*states of another model/);
    const promoted = await tideline(['models', 'promote', 'ticks-v2', '--topic', topic, '--json'], { env });
    assert.equal(promoted.code, 0, promoted.stderr);
    t.diagnostic(promoted.stdout.trim());
    const begins = new Map<string, number>();
    for (const line of promoted.stdout.trim().split('\n')) {
      const { shard, status, position: from } = JSON.parse(line);
      assert.equal(status, 'changed');
      begins.set(shard, from);
    }
    await redis.flushall();
    await producer.send(ticks.slice(TICKS / 2));
    await eventually('everything done by the second', async () => (await position()) === TICKS, DEADLINE_MS);
    assert.match((await tideline(['models', 'promote'], { env: later })).stdout, /has ticks-v2 already/);
    const refused = await tideline(['state', 'reset', ticks[0].key, '--topic', topic, '--replay'], { env });
    assert.equal(refused.code, 78, refused.stderr);
    assert.match(refused.stderr, /has another model than 'ticks-lstm'/);

    const shards = await readTopic({ brokers: kafka, topic, records: TICKS });
    const part = (isKept: (offset: number, from: number) => boolean): Map<Shard, RawRecord[]> =>
      new Map(
        [...shards].map(([shard, records]) => {
          const from = begins.get(shardName(shard)) ?? 0;
          return [shard, records.filter(({ offset }) => isKept(offset, from))];
        }),
      );
    const expected = [
      ...(await offlinePass(
        createTickStream({ modelName: 'ticks-lstm' }),
        first,
        part((offset, from) => offset < from),
      )),
      ...(await offlinePass(
        createTickStream({ modelName: 'ticks-v2' }),
        second,
        part((offset, from) => offset >= from),
      )),
    ].map(sortedLine);
    const found: string[] = [];
    for await (const line of reader.exportLines('forecast')) found.push(line);
    assert.equal(digestOfLines(found), digestOfLines(expected));
    for (const service of [ingest, old, young]) assert.equal(await service.stop(), 0, service.log().slice(-2_000));
    await reader.dropDatabase();
  } finally {
    redis.disconnect();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
