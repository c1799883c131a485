import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createInfluxReader,
  createKafkaCheckpointLog,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  openRedis,
  sortedLine,
} from '@tideline/adapters';
import { startRedis } from '@tideline/native';
import { loadModel } from '@tideline/nn';
import { digestOfLines, type Shard, shardName } from '@tideline/pipeline';
import { createTickStream, generatedTicks } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { tideline } from './command.ts';
import { offlinePass, readTopic } from './offline-pass.ts';
import { ownEnvironment, ROOT, startService } from './services.ts';

const TICKS = 12_000;
const PARTITIONS = 2;
const DEADLINE_MS = 60_000;

const PROMISE =
  'Redis erased entirely in the middle of the work: the pipeline goes on from the newest checkpoints and ends at the digest of a run without faults; ' +
  'erased again, the states come back by command';

test(PROMISE, async (t) => {
  const { kafka, influx } = stackAddresses();
  const folder = await mkdtemp(join(tmpdir(), 'tideline-checkpoint-'));
  // A Redis of its own: what is erased is nobody else's.
  const server = await startRedis({ folder });
  const topic = uniqueName('ticks');
  const database = uniqueName('checkpoint').replaceAll('-', '_');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_URL: server.address,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=ticks`,
    TIDELINE_CHECKPOINT_TOPIC: uniqueName('checkpoints'),
    TIDELINE_CHECKPOINT_INTERVAL_MS: '200',
    TIDELINE_CHUNK_ROWS_MAX: '200',
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
    await using log = await createKafkaCheckpointLog({ brokers: [kafka], topic: env.TIDELINE_CHECKPOINT_TOPIC });
    await using producer = await createTopicProducer({ brokers: [kafka], topic });
    await using ingest = await startService('ingest', env);
    await using forecaster = await startService('forecaster', env);
    const ticks = [...generatedTicks({ seed: 5, symbols: 60, records: TICKS })];
    const positions = async (): Promise<number> =>
      (await store.status()).reduce((sum, { position }) => sum + Math.max(0, position), 0);
    const shards = Array.from({ length: PARTITIONS }, (_, partition): Shard => ({ topic, partition }));

    await producer.send(ticks.slice(0, TICKS / 2));
    await eventually('the first half done', async () => (await positions()) === TICKS / 2, DEADLINE_MS);
    const checkpointed = async (): Promise<number> => {
      const newest = [...(await log.read(shards, { takeOver: false, settled: false })).values()];
      return newest.reduce((sum, { marker }) => sum + marker.position, 0);
    };
    // Where the shards stand: one may well have been written before the first record came, at position 0.
    await eventually(
      'a checkpoint of each shard where it stands',
      async () => (await checkpointed()) === TICKS / 2,
      DEADLINE_MS,
    );
    await producer.send(ticks.slice(TICKS / 2));
    await eventually('part of the second half done', async () => (await positions()) > TICKS / 2, DEADLINE_MS);
    await redis.flushall();
    await eventually('everything done after the loss', async () => (await positions()) === TICKS, DEADLINE_MS);
    const restored = ingest
      .log()
      .split('\n')
      .filter((line) => line.includes('restored from its checkpoint'));
    assert.equal(restored.length, PARTITIONS, ingest.log().slice(-2_000));
    for (const line of restored) {
      const { position, durationMs } = JSON.parse(line);
      assert(position > 0 && durationMs >= 0, line);
      t.diagnostic(`restored at ${position} in ${durationMs} ms`);
    }

    const stream = createTickStream({ modelName: 'ticks-lstm' });
    const { model } = await loadModel(join(ROOT, 'models', 'ticks-lstm', 'model.tdl'));
    const records = await readTopic({ brokers: kafka, topic, records: TICKS });
    const expected = (await offlinePass(stream, model, records)).map(sortedLine);
    const found: string[] = [];
    for await (const line of reader.exportLines('forecast')) found.push(line);
    assert.equal(digestOfLines(found), digestOfLines(expected));

    await eventually('a checkpoint of everything', async () => (await checkpointed()) === TICKS, DEADLINE_MS);
    assert.equal(await ingest.stop(), 0, ingest.log().slice(-2_000));
    assert.equal(await forecaster.stop(), 0);
    const before = await statesOf(store, shards);
    await redis.flushall();
    const back = await tideline(['state', 'restore', '--json'], { env });
    assert.equal(back.code, 0, back.stderr);
    t.diagnostic(back.stdout.trim());
    assert.deepEqual(await statesOf(store, shards), before);
    const refused = await tideline(['state', 'restore'], { env });
    assert.equal(refused.code, 78);
    assert.match(refused.stderr, /is there already/);
    await reader.dropDatabase();
  } finally {
    redis.disconnect();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

async function statesOf(store: Awaited<ReturnType<typeof createRedisShardStore>>, shards: readonly Shard[]) {
  const found: Record<string, string> = {};
  for (const shard of shards) {
    const snapshot = await store.snapshot(shard, []);
    found[shardName(shard)] = `${snapshot?.position} ${snapshot?.model}`;
    for await (const { key, bytes } of store.states(shard))
      found[`${shardName(shard)}/${key}`] = Buffer.from(bytes).toString('hex');
  }
  return found;
}
