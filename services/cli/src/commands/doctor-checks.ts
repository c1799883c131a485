import {
  checkRedisServer,
  createInfluxReader,
  createRedisShardStore,
  openRedis,
  topicRanges,
} from '@tideline/adapters';
import { loadTopics } from '@tideline/forecaster';
import { RetryableError, shardName } from '@tideline/pipeline';
import { parseConfig, redactUrl } from '@tideline/runtime';
import { STREAM_FIELDS, servedTopics, type TopicStream } from '@tideline/streams';
import { z } from 'zod';
import { type Environment, MODELS_FOLDER, withAddresses } from '../addresses.ts';
import { openStateStore, shardsOf } from './state-store.ts';

interface Check {
  readonly name: string;
  readonly address: string;
  /** Resolves with what is well; throws with what is not and the cure. */
  readonly run: () => Promise<string>;
}

/** `tideline doctor`: exit code 69 where a check fails. */
export async function doctor(environment: Environment, json: boolean): Promise<void> {
  const env = await withAddresses(environment);
  const results = await Promise.all(
    checks(env).map(async ({ name, address, run }) => {
      const outcome = await run().then(
        (detail) => ({ ok: true, detail }),
        (error: Error) => ({ ok: false, detail: error.message }),
      );
      return { name, address: redactUrl(address), ...outcome };
    }),
  );
  if (json) process.stdout.write(`${JSON.stringify({ ok: results.every(({ ok }) => ok), checks: results })}\n`);
  else
    for (const { name, address, ok, detail } of results)
      process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(9)} ${address}  ${detail}\n`);
  if (results.some(({ ok }) => !ok)) process.exitCode = 69;
}

function checks(env: Environment): Check[] {
  const streams = servedTopics(parseConfig(z.object(STREAM_FIELDS), env));
  const brokers = (env.TIDELINE_KAFKA_BROKERS ?? '').split(',');
  const redisUrl = env.TIDELINE_REDIS_URL ?? '';
  const influxUrl = env.TIDELINE_INFLUX_URL ?? '';
  const database = env.TIDELINE_INFLUX_DATABASE ?? 'tideline';
  const modelsFolder = env.TIDELINE_MODELS ?? MODELS_FOLDER;
  return [
    {
      name: 'kafka',
      address: brokers.join(','),
      run: () =>
        checkKafka(
          brokers,
          streams.map(({ topic }) => topic),
        ),
    },
    { name: 'redis', address: redisUrl, run: () => checkRedis(redisUrl, env.TIDELINE_REDIS_PREFIX ?? 'tideline') },
    { name: 'influxdb', address: influxUrl, run: () => checkInflux(influxUrl, database) },
    { name: 'models', address: modelsFolder, run: () => checkModels(env, modelsFolder, streams) },
  ];
}

async function checkKafka(brokers: readonly string[], topics: readonly string[]): Promise<string> {
  const ranges = await topicRanges({ brokers, topics });
  return [...ranges]
    .map(
      ([topic, partitions]) =>
        `${topic}: ${partitions.length} partitions, ${partitions.reduce((sum, { low, high }) => sum + high - low, 0)} records`,
    )
    .join('; ');
}

async function checkRedis(url: string, prefix: string): Promise<string> {
  const warnings: string[] = [];
  const redis = await openRedis(url, { name: 'tideline-doctor', onWarning: (message) => void warnings.push(message) });
  try {
    await checkRedisServer(redis, redactUrl(url), (message) => void warnings.push(message));
  } finally {
    redis.disconnect();
  }
  await using store = await createRedisShardStore({ url, prefix, logBytesMax: 1, onWarning: () => undefined });
  const shards = await store.status();
  const lag = shards.reduce((sum, { head, position }) => sum + Math.max(0, head - position), 0);
  return [`${shards.length} shards, ${lag} records behind`, ...warnings].join('; ');
}

async function checkInflux(url: string, database: string): Promise<string> {
  await using reader = await createInfluxReader({ url, database });
  // Awaited here: the reader must outlive its answer.
  return await reader.ping();
}

async function checkModels(env: Environment, folder: string, streams: readonly TopicStream[]): Promise<string> {
  const names: string[] = [];
  const topics = await loadTopics({
    ...{ streams, modelsFolder: folder, engine: 'auto', slotsMax: 1 },
    onEngine: ({ topic, engine }) => void names.push(`${topic}: ${engine.modelName} on ${engine.name}`),
  });
  const digests = new Map([...topics].map(([topic, { engine }]) => [topic, engine.modelDigest]));
  for (const { engine } of topics.values()) engine.dispose();
  const foreign = await foreignShards(env, digests);
  if (foreign.length > 0)
    throw new Error(
      `${foreign.join(', ')}: states of another model; forecasters with this environment leave them alone until 'tideline models promote'`,
    );
  return names.join('; ');
}

/** Shards whose states are of another model than the topic's. Empty where Redis does not answer: another check says so. */
async function foreignShards(env: Environment, digests: ReadonlyMap<string, string>): Promise<string[]> {
  const foreign: string[] = [];
  try {
    await using store = await openStateStore(env, {});
    for (const { shard } of await shardsOf(store)) {
      const digest = digests.get(shard.topic);
      const model = (await store.snapshot(shard, []))?.model;
      if (digest !== undefined && model && model !== digest) foreign.push(shardName(shard));
    }
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
  }
  return foreign;
}
