/** One run of the standard job: the topic is filled first, then one ingest and one forecaster, as processes, work it off into InfluxDB. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createInfluxReader,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  openRedis,
  sortedLine,
} from '@tideline/adapters';
import { type RawRecord, shardName } from '@tideline/pipeline';
import { createStream } from '@tideline/streams';
import { offlinePass } from '../../e2e/offline-pass.ts';
import { eventually } from '../../stack/index.ts';
import { DATABASE, openJob, PARTITIONS, STREAM, startServices, TOPIC } from './job.ts';
import { cpuSeconds, peakMegabytes, pointsWritten } from './processes.ts';
import { standardModel, standardTicks, type Variant } from './workload.ts';

export interface RunOptions {
  readonly variant: Variant;
  readonly records: number;
  /** Kill both services at two fifths and start them again. */
  readonly kill: boolean;
  /** Folder for a processor profile of each service, in a folder of its name; null: none. */
  readonly profile: string | null;
  readonly say: (line: string) => void;
}

export interface RunResult {
  readonly variant: Variant;
  readonly records: number;
  /** From the first tick in a shard's log to the last point in InfluxDB. */
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Processor seconds a million records; of the services since the first tick (after a kill: since their second start). */
  readonly cpuPerMillion: Readonly<Record<'ingest' | 'forecaster' | 'redis' | 'kafka' | 'influx', number>>;
  /** Processor seconds of the whole process, its start too (after a kill: of the second one). */
  readonly wholeCpu: Readonly<Record<'ingest' | 'forecaster', number>>;
  readonly peakMb: Readonly<Record<'ingest' | 'forecaster', number>>;
  /** Bytes of Redis for each series that it holds. */
  readonly redisBytesASeries: number;
  readonly missing: number;
  readonly wrong: number;
  readonly killed: boolean;
}

const BATCH = 5_000;
const POLL_MS = 25;
const KILL_AT = 0.4;
const DEADLINE_MS = 300_000;

export async function runPipeline(options: RunOptions): Promise<RunResult> {
  const { variant, records, say } = options;
  say('Starting Kafka, Redis and InfluxDB ...');
  await using job = await openJob();
  const { TIDELINE_KAFKA_BROKERS: kafka, TIDELINE_REDIS_URL: redis, TIDELINE_INFLUX_URL: influx } = job.env;
  say(`Producing ${records} ticks (${variant}) ...`);
  await produce(kafka, variant, records);
  const work = await workOff(options, job.env, job.pids);
  say('Comparing every point with a straight pass over the records ...');
  const check = await compare(influx, variant, records);
  const redisBytesASeries = await bytesASeries(redis);
  return { variant, records, ...work, ...check, redisBytesASeries, killed: options.kill };
}

/** Makes the topic and fills it with the job's ticks. */
export async function produce(kafka: string, variant: Variant, records: number): Promise<void> {
  await ensureTopics({ brokers: [kafka], topics: [{ topic: TOPIC, partitions: PARTITIONS }] });
  await using producer = await createTopicProducer({ brokers: [kafka], topic: TOPIC });
  let batch = [];
  for (const record of standardTicks(variant, records)) {
    batch.push(record);
    if (batch.length < BATCH) continue;
    await producer.send(batch);
    batch = [];
  }
  await producer.send(batch);
}

async function workOff(
  options: RunOptions,
  env: Readonly<Record<string, string>>,
  servers: Readonly<Record<string, number>>,
): Promise<Pick<RunResult, 'seconds' | 'recordsPerSecond' | 'cpuPerMillion' | 'wholeCpu' | 'peakMb'>> {
  const { records, say } = options;
  const serverCpu = (): Record<string, number> =>
    Object.fromEntries(Object.entries(servers).map(([name, pid]) => [name, cpuSeconds(pid)]));
  let services = await startServices(env, options.profile);
  const before = serverCpu();
  say('Waiting for the first tick ...');
  await using store = await createRedisShardStore({
    ...{ url: env.TIDELINE_REDIS_URL, logBytesMax: 1, onWarning: () => undefined },
  });
  const atLeast = async (field: 'head' | 'position', count: number): Promise<boolean> =>
    (await store.status()).reduce((sum, shard) => sum + Math.max(0, shard[field]), 0) >= count;
  await eventually('the first tick', () => atLeast('head', 1));
  const started = performance.now();
  const atStart = { ingest: cpuSeconds(services.ingest.pid), forecaster: cpuSeconds(services.forecaster.pid) };
  say('Working off ...');
  let killed = false;
  for (;;) {
    const points = await pointsWritten(env.TIDELINE_INFLUX_URL, DATABASE);
    if (options.kill && !killed && points >= KILL_AT * records) {
      await Promise.all([services.ingest.kill(), services.forecaster.kill()]);
      killed = true;
      services = await startServices(env, options.profile);
    }
    // A point that is written twice counts twice: after a kill the end is when nothing is behind.
    if (points >= records && (!killed || (await atLeast('position', records)))) break;
    if (performance.now() - started > DEADLINE_MS) {
      const { ingest, forecaster } = services;
      throw new Error(
        `Only ${points} of ${records} points:\n${ingest.log().slice(-2_000)}\n${forecaster.log().slice(-2_000)}`,
      );
    }
    await sleep(POLL_MS);
  }
  const seconds = (performance.now() - started) / 1e3;
  const after = serverCpu();
  const { ingest, forecaster } = services;
  const wholeCpu = { ingest: cpuSeconds(ingest.pid), forecaster: cpuSeconds(forecaster.pid) };
  const used = {
    ingest: wholeCpu.ingest - (killed ? 0 : atStart.ingest),
    forecaster: wholeCpu.forecaster - (killed ? 0 : atStart.forecaster),
    ...Object.fromEntries(Object.entries(after).map(([name, cpu]) => [name, cpu - before[name]])),
  } as RunResult['cpuPerMillion'];
  const peakMb = { ingest: peakMegabytes(ingest.pid), forecaster: peakMegabytes(forecaster.pid) };
  await Promise.all([ingest.stop(), forecaster.stop()]);
  const perMillion = Object.entries(used).map(([name, cpu]) => [name, (cpu / records) * 1e6]);
  return {
    seconds,
    recordsPerSecond: records / seconds,
    cpuPerMillion: Object.fromEntries(perMillion) as RunResult['cpuPerMillion'],
    wholeCpu,
    peakMb,
  };
}

async function bytesASeries(redis: string): Promise<number> {
  await using store = await createRedisShardStore({ url: redis, logBytesMax: 1, onWarning: () => undefined });
  const shards = await store.status();
  const connection = await openRedis(redis, { name: 'bench', onWarning: () => undefined });
  try {
    const sizes = await Promise.all(
      shards.map(({ shard }) =>
        connection.call('MEMORY', 'USAGE', `tideline:{${shardName(shard)}}:state`, 'SAMPLES', '200'),
      ),
    );
    const series = shards.reduce((sum, shard) => sum + shard.series, 0);
    return sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0) / Math.max(1, series);
  } finally {
    connection.disconnect();
  }
}

/** Every point of InfluxDB beside the one of a straight pass: no batches, no shards, no crash. */
async function compare(
  influx: string,
  variant: Variant,
  count: number,
): Promise<{ readonly missing: number; readonly wrong: number }> {
  const records: RawRecord[] = [];
  for (const { key, value, timestampMs } of standardTicks(variant, count))
    records.push({
      ...{ offset: records.length, key: Buffer.from(key), value: Buffer.from(value), timestampMs, headers: {} },
    });
  const stream = createStream(STREAM, { modelName: 'peers-lstm' });
  const shard = { topic: TOPIC, partition: 0 };
  const lines = await offlinePass(stream, standardModel(), new Map([[shard, records]]));
  const expected = new Set(lines.map(sortedLine));
  await using reader = createInfluxReader({ url: influx, database: DATABASE });
  let [right, wrong] = [0, 0];
  for await (const line of reader.exportLines('forecast')) {
    if (expected.has(line)) right += 1;
    else wrong += 1;
  }
  return { missing: expected.size - right - wrong, wrong };
}
