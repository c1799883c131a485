/** One run of the whole pipeline on real servers, with a fault in the middle, and what InfluxDB holds afterwards. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createInfluxReader,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  sortedLine,
} from '@tideline/adapters';
import { loadModel } from '@tideline/nn';
import { digestOfLines, type RawRecord, type Shard } from '@tideline/pipeline';
import { createTickStream, generatedTicks } from '@tideline/streams';
import { offlinePass, readTopic } from '../e2e/offline-pass.ts';
import { ROOT, type RunningService, startService } from '../e2e/services.ts';
import { eventually, uniqueName } from '../stack/index.ts';
import type { Fault, Scene, Times } from './faults.ts';
import { stopHolder } from './holder.ts';
import { type MemoryPeaks, watchMemory } from './memory.ts';
import type { World } from './world.ts';

export interface RunOptions {
  readonly world: World;
  readonly fault: Fault;
  readonly ticks: number;
  /** Share of the records after which the fault comes. */
  readonly at: number;
  /** Pause between two slices of the feed, ms. */
  readonly sliceMs?: number;
}

export interface RunResult {
  readonly fault: Fault;
  readonly records: number;
  /** Points of the offline pass that InfluxDB lacks, points that it has beyond them, points with another value. */
  readonly missing: number;
  readonly duplicated: number;
  readonly wrong: number;
  readonly digestEqual: boolean;
  readonly times: Times;
  readonly memory: MemoryPeaks;
  readonly seconds: number;
}

const SYMBOLS = 100;
const PARTITIONS = 4;
const ALL_PARTITIONS = Array.from({ length: PARTITIONS }, (_, p) => p);
/** Pace of the live feed: the fault comes into moving records. */
const TICKS_PER_SLICE = 200;
const SLICE_MS = 80;
const DEADLINE_MS = 180_000;

export async function runFault(options: RunOptions): Promise<RunResult> {
  const { world, fault, ticks, at } = options;
  const started = performance.now();
  const { direct } = world;
  const topic = uniqueName('chaos');
  const prefix = uniqueName('chaos');
  const database = prefix.replaceAll('-', '_');
  const env = environment({ world, topic, prefix, database, fault });
  await ensureTopics({ brokers: [direct.kafka], topics: [{ topic, partitions: PARTITIONS }] });
  await using store = await createRedisShardStore({
    ...{ url: direct.redis, prefix, logBytesMax: 1 },
    onWarning: () => undefined,
  });
  await using reader = createInfluxReader({ url: direct.influx, database });
  const positions = async (): Promise<readonly number[]> => {
    const shards = await store.status().catch(() => []);
    return ALL_PARTITIONS.map((p) => shards.find(({ shard }) => shard.partition === p)?.position ?? 0);
  };
  const processed = async (): Promise<number> => (await positions()).reduce((sum, position) => sum + position, 0);
  // BullMQ's list of the jobs that workers have in hand.
  const activeTickets = async (): Promise<readonly string[]> =>
    (await world.redis('LRANGE', `bull:${prefix}-tickets:active`, '0', '-1')) as string[];
  const services: RunningService[] = [];
  const scene: Scene = {
    ...{ world, forecasters: [], ingests: [] },
    startForecaster: () => start('forecaster', scene.forecasters),
    startIngest: () => start('ingest', scene.ingests),
    stopHolder: () => stopHolder({ store, activeTickets, forecasters: scene.forecasters }),
    positions,
    async progress({ partitions = ALL_PARTITIONS, beyond } = {}) {
      const from = performance.now();
      const before = beyond ?? (await positions());
      const movedOn = async (): Promise<boolean> => {
        const now = await positions();
        return partitions.every((p) => now[p] > before[p]) || now.reduce((sum, at) => sum + at, 0) === ticks;
      };
      await eventually('the shards move on', movedOn, DEADLINE_MS);
      return performance.now() - from;
    },
  };
  const start = async (name: 'ingest' | 'forecaster', into: RunningService[]): Promise<RunningService> => {
    const service = await startService(name, env);
    into.push(service);
    services.push(service);
    return service;
  };
  const watch = watchMemory({ world, services, store });
  try {
    await scene.startIngest();
    for (let i = 0; i < fault.forecasters; i += 1) await scene.startForecaster();
    const feeding = feed(direct.kafka, topic, options);
    await eventually(`${at} of the records processed`, async () => (await processed()) >= at * ticks, DEADLINE_MS);
    const times = await fault.inject(scene);
    await feeding;
    await eventually('every record processed', async () => (await processed()) === ticks, DEADLINE_MS);
    const found: string[] = [];
    for await (const line of reader.exportLines('forecast')) found.push(line);
    await reader.dropDatabase();
    const seconds = (performance.now() - started) / 1_000;
    const shards = await readTopic({ brokers: direct.kafka, topic, records: ticks });
    return {
      fault,
      records: ticks,
      ...compare(found, await expectedLines(shards)),
      times,
      memory: await watch.stop(),
      seconds,
    };
  } catch (cause) {
    const logs = services.map((service) => service.log().slice(-3_000)).join('\n---\n');
    throw new Error(`'${fault.name}' did not end: ${String(cause)}\n${logs}`, { cause });
  } finally {
    await watch.stop();
    for (const name of ['kafka', 'redis', 'influx'] as const) world.proxies[name].heal();
    for (const service of services) await service.kill();
  }
}

function environment(run: {
  readonly world: World;
  readonly topic: string;
  readonly prefix: string;
  readonly database: string;
  readonly fault: Fault;
}): Record<string, string> {
  const { addresses } = run.world;
  return {
    TIDELINE_KAFKA_BROKERS: addresses.kafka,
    TIDELINE_REDIS_URL: addresses.redis,
    TIDELINE_REDIS_PREFIX: run.prefix,
    TIDELINE_INFLUX_URL: addresses.influx,
    TIDELINE_INFLUX_DATABASE: run.database,
    TIDELINE_STREAMS: `${run.topic}=ticks`,
    TIDELINE_KAFKA_GROUP: uniqueName('ingest'),
    TIDELINE_DEAD_LETTER_TOPIC: `${run.topic}-dead`,
    // Many small batches, so that the fault lands within one.
    TIDELINE_CHUNK_ROWS_MAX: '100',
    TIDELINE_BATCH_ENTRIES_MAX: '2',
    ...run.fault.env,
  };
}

/** The same records in the same order for every run: one producer, one batch after the other; it outlives a broker's restart. */
async function feed(
  kafka: string,
  topic: string,
  { ticks, sliceMs = SLICE_MS }: Pick<RunOptions, 'ticks' | 'sliceMs'>,
): Promise<void> {
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  const records = [...generatedTicks({ seed: 11, symbols: SYMBOLS, records: ticks })];
  for (let from = 0; from < ticks; from += TICKS_PER_SLICE) {
    await producer.send(records.slice(from, from + TICKS_PER_SLICE));
    await sleep(sliceMs);
  }
}

/** What a run without faults, without batches and without a pipeline makes of the records. */
async function expectedLines(shards: ReadonlyMap<Shard, readonly RawRecord[]>): Promise<string[]> {
  const { model } = await loadModel(join(ROOT, 'models', 'ticks-lstm', 'model.tdl'));
  const lines = await offlinePass(createTickStream({ modelName: model.spec.name }), model, shards);
  return lines.map(sortedLine);
}

function compare(
  found: readonly string[],
  expected: readonly string[],
): Pick<RunResult, 'missing' | 'duplicated' | 'wrong' | 'digestEqual'> {
  // Measurement, tags and time are a point's identity: the first and the last part of its line.
  const identity = (line: string): string =>
    `${line.slice(0, line.search(/(?<!\\) /))} ${line.slice(line.lastIndexOf(' ') + 1)}`;
  const byIdentity = new Map(expected.map((line) => [identity(line), line]));
  const seen = new Set(found.map(identity));
  const wrong = found.filter(
    (line) => byIdentity.has(identity(line)) && byIdentity.get(identity(line)) !== line,
  ).length;
  return {
    missing: expected.filter((line) => !seen.has(identity(line))).length,
    duplicated: found.filter((line) => !byIdentity.has(identity(line))).length,
    wrong,
    digestEqual: digestOfLines(found) === digestOfLines(expected),
  };
}
