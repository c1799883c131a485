import {
  createBullTicketQueue,
  createKafkaCheckpointLog,
  createKafkaDeadLetterSink,
  createKafkaSource,
  createRedisShardStore,
  ensureTopics,
  topicRanges,
} from '@tideline/adapters';
import {
  announceOutstanding,
  createIngest,
  RetryableError,
  type ShardStore,
  type SnapshotStore,
  type Stream,
} from '@tideline/pipeline';
import {
  createLogger,
  createMetrics,
  type Logger,
  type Metrics,
  parseConfig,
  ResourceStack,
  type ServiceSignals,
  sleep,
  startHealthServer,
} from '@tideline/runtime';
import { createStream, servedTopics } from '@tideline/streams';
import { type Checkpoints, createCheckpoints } from './checkpoints.ts';
import { INGEST_CONFIG, type IngestConfig } from './config.ts';
import { createIngestEvents } from './events.ts';

/** Pause between two sweeps that announce what is outstanding and read again what the store lost. */
const SWEEP_MS = 1_000;
const FULL_RETRY_MS = 50;

/** Runs ingest until `drain` aborts. Throws ConfigurationError, or RetryableError where a server does not answer. */
export async function runIngest(
  env: Readonly<Record<string, string | undefined>>,
  signals: ServiceSignals,
): Promise<void> {
  const config = parseConfig(INGEST_CONFIG, env);
  const log = createLogger({ service: 'ingest', level: config.TIDELINE_LOG_LEVEL });
  const metrics = createMetrics();
  const { TIDELINE_KAFKA_BROKERS: brokers, TIDELINE_REDIS_URL: url, TIDELINE_REDIS_PREFIX: prefix } = config;
  const onWarning = (message: string): void => log.warn({ reason: message }, 'Redis needs attention.');
  const onLog = (level: 'warn' | 'error', message: string): void =>
    log[level]({ reason: message }, 'Kafka needs attention.');
  const streams = streamsOf(config);
  await using stack = new ResourceStack();
  const topics = config.TIDELINE_STREAMS.map(({ topic }) => ({ topic, partitions: config.TIDELINE_KAFKA_PARTITIONS }));
  await ensureTopics({ brokers, topics });
  const shards = stack.use(
    await createRedisShardStore({ url, prefix, logBytesMax: config.TIDELINE_LOG_BYTES_MAX, onWarning }),
  );
  const checkpoints = await openCheckpoints({ config, store: shards, logger: log, metrics, signal: signals.drain });
  const { store } = checkpoints;
  const queue = stack.use(
    await createBullTicketQueue({
      url,
      name: `${prefix}-tickets`,
      onError: (error) => log.error({ err: error }, 'The ticket queue failed.'),
    }),
  );
  const deadLetters = stack.use(
    await createKafkaDeadLetterSink({ brokers, topic: config.TIDELINE_DEAD_LETTER_TOPIC, onLog }),
  );
  const source = stack.use(
    createKafkaSource({
      ...{ brokers, topics: [...streams.keys()], groupId: config.TIDELINE_KAFKA_GROUP, onLog },
      fetchIntervalMs: config.TIDELINE_FETCH_INTERVAL_MS,
      ...(config.TIDELINE_INGEST_SHARE === undefined ? {} : { share: config.TIDELINE_INGEST_SHARE }),
    }),
  );
  const onEvent = createIngestEvents(log, metrics);
  const handler = createIngest({
    ...{ store, queue, deadLetters, streams, sleep, onEvent },
    signal: signals.drain,
    chunkRowsMax: config.TIDELINE_CHUNK_ROWS_MAX,
    fullRetryMs: FULL_RETRY_MS,
    catchUp: checkpoints.catchUp,
  });
  const checks = { redis: async () => void (await store.status()) };
  const { TIDELINE_HEALTH_HOST: host, TIDELINE_HEALTH_PORT: port } = config;
  const health = stack.use(await startHealthServer({ host, port, checks, metrics }));
  await source.run(handler);
  let failure: unknown;
  const written = checkpoints.run().catch((error: unknown) => {
    failure = error;
  });
  log.info({ brokers, streams: config.TIDELINE_STREAMS, health: health.url }, 'Ingest is ready.');
  while (!signals.drain.aborted) {
    if (failure !== undefined) throw failure;
    try {
      await announceOutstanding({ store, queue });
      for (const shard of await handler.fallenBehind()) source.reposition(shard);
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      log.warn({ reason: error.message }, 'The sweep for outstanding tickets waits for Redis.');
    }
    await sleep(SWEEP_MS, signals.drain);
  }
  await source.drain();
  await written;
}

function streamsOf(config: IngestConfig): Map<string, Stream> {
  const served = servedTopics(config);
  return new Map(
    served.map(({ topic, stream, model: _, ...rules }) => [topic, createStream(stream, { modelName: '', ...rules })]),
  );
}

/** Checkpoints in Kafka, or the store as it is where they are neither written nor read. */
async function openCheckpoints(parts: {
  readonly config: IngestConfig;
  readonly store: ShardStore & SnapshotStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}): Promise<Checkpoints> {
  const { config, store, ...rest } = parts;
  const { TIDELINE_KAFKA_BROKERS: brokers, TIDELINE_CHECKPOINT_INTERVAL_MS: intervalMs } = config;
  const restore = config.TIDELINE_CHECKPOINT_RESTORE === 'newest';
  if (intervalMs === 0 && !restore) return { store, catchUp: async () => undefined, run: async () => undefined };
  return createCheckpoints({
    ...{ store, intervalMs, restore, sleep, nowMs: () => performance.now(), wallMs: Date.now, ...rest },
    log: await createKafkaCheckpointLog({ brokers, topic: config.TIDELINE_CHECKPOINT_TOPIC }),
    bytesPerSecond: config.TIDELINE_CHECKPOINT_BYTES_PER_SECOND,
    async endOf({ topic, partition }) {
      const ranges = await topicRanges({ brokers, topics: [topic] });
      return ranges.get(topic)?.find((range) => range.partition === partition)?.high ?? 0;
    },
  });
}
