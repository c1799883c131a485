/** How much more forecasters do together than one alone, where the step is what takes time. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRedisShardStore, createTopicProducer, ensureTopics, produceRecords } from '@tideline/adapters';
import { startService } from '../../e2e/services.ts';
import { eventually } from '../../stack/index.ts';
import { openJob, TOPIC } from '../pipeline/job.ts';
import { standardTicks } from '../pipeline/workload.ts';

export interface ScalingOptions {
  readonly records: number;
  readonly rowMs: number;
  /** Counts of forecasters; the first is what the others are compared with. */
  readonly forecasters: readonly number[];
  readonly say: (line: string) => void;
}

export interface ScalingResult {
  readonly forecasters: number;
  /** From a tenth of the records to eight tenths: every shard has found a forecaster, and none is done yet. */
  readonly recordsPerSecond: number;
  /** Of the rate that the steps alone would allow. */
  readonly efficiency: number;
  /** From the first record to the last: with the start, where whoever asks first takes every shard, and the end, where the last shard is one forecaster's. */
  readonly wholePerSecond: number;
}

const PARTITIONS = 16;
/** Small entries, so that a batch of four is a small share of a shard. */
const CHUNK_ROWS_MAX = 50;
const DEADLINE_MS = 300_000;
/** Shares of the records between which the steady rate is taken. */
const STEADY = { from: 0.1, to: 0.8 };
const FORECASTER = new URL('./forecaster.js', import.meta.url);

export async function runScaling(options: ScalingOptions): Promise<ScalingResult[]> {
  const results: ScalingResult[] = [];
  for (const count of options.forecasters) {
    options.say(`${count} ...`);
    const { recordsPerSecond, wholePerSecond } = await workOff(count, options);
    const efficiency = (recordsPerSecond * options.rowMs) / 1e3 / count;
    results.push({ forecasters: count, recordsPerSecond, efficiency, wholePerSecond });
  }
  return results;
}

/** Records a second of `count` forecasters, on servers of their own. */
async function workOff(
  count: number,
  { records, rowMs }: ScalingOptions,
): Promise<Pick<ScalingResult, 'recordsPerSecond' | 'wholePerSecond'>> {
  await using job = await openJob();
  const brokers = [job.env.TIDELINE_KAFKA_BROKERS];
  await ensureTopics({ brokers, topics: [{ topic: TOPIC, partitions: PARTITIONS }] });
  await using producer = await createTopicProducer({ brokers, topic: TOPIC });
  await produceRecords({ producer, records: standardTicks('uniform', records) });
  await using store = await createRedisShardStore({ url: job.env.TIDELINE_REDIS_URL, logBytesMax: 1 });
  const sum = async (field: 'head' | 'position'): Promise<number> =>
    (await store.status()).reduce((total, shard) => total + Math.max(0, shard[field]), 0);
  // Its log is full before the clock starts: what is measured is the forecasters.
  await using ingest = await startService('ingest', { ...job.env, TIDELINE_CHUNK_ROWS_MAX: String(CHUNK_ROWS_MAX) });
  await eventually('every record is in a log', async () => (await sum('head')) === records, DEADLINE_MS);
  const env = { ...process.env, ...job.env };
  const children = await Promise.all(Array.from({ length: count }, () => startForecaster(rowMs, env)));
  try {
    const seen: Seen[] = [];
    await eventually(
      'every record is stepped',
      async () => {
        seen.push({ stepped: await sum('position'), atMs: performance.now() });
        return seen[seen.length - 1].stepped === records;
      },
      DEADLINE_MS,
    );
    const at = (share: number) => seen.findIndex(({ stepped }) => stepped >= share * records);
    return {
      recordsPerSecond: rateOf(seen[at(STEADY.from)], seen[at(STEADY.to)]),
      wholePerSecond: rateOf(seen[0], seen[seen.length - 1]),
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await ingest.stop();
  }
}

interface Seen {
  readonly stepped: number;
  readonly atMs: number;
}

function rateOf(from: Seen, to: Seen): number {
  return ((to.stepped - from.stepped) / (to.atMs - from.atMs)) * 1e3;
}

async function startForecaster(rowMs: number, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = fork(FORECASTER, [String(rowMs)], { env });
  await once(child, 'message');
  return child;
}
