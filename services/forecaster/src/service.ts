import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  createBullTicketQueue,
  createInfluxSink,
  createKafkaDeadLetterSink,
  createPointTopicSink,
  createRedisAppendFeed,
  createRedisLiveFeed,
  createRedisShardStore,
} from '@tideline/adapters';
import { type DeadLetterSink, Forecaster, type PointSink, type Stream } from '@tideline/pipeline';
import {
  createLogger,
  createMetrics,
  type Logger,
  parseConfig,
  ResourceStack,
  type ServiceSignals,
  sleep,
  startHealthServer,
} from '@tideline/runtime';
import { parseAlert, servedTopics } from '@tideline/streams';
import { FORECASTER_CONFIG, type ForecasterConfig } from './config.ts';
import { createForecasterEvents } from './events.ts';
import { loadTopics } from './topics.ts';

const CHECK_MS = 250;

/** Runs a forecaster until `drain` aborts. Throws ConfigurationError, ModelError, or RetryableError where a server does not answer. */
export async function runForecaster(
  env: Readonly<Record<string, string | undefined>>,
  signals: ServiceSignals,
): Promise<void> {
  const config = parseConfig(FORECASTER_CONFIG, env);
  const owner = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const log = createLogger({ service: 'forecaster', level: config.TIDELINE_LOG_LEVEL });
  const metrics = createMetrics();
  const url = config.TIDELINE_REDIS_URL;
  const prefix = config.TIDELINE_REDIS_PREFIX;
  const onWarning = (message: string): void => log.warn({ reason: message }, 'Redis needs attention.');
  const topics = await loadTopics({
    streams: servedTopics(config),
    modelsFolder: config.TIDELINE_MODELS,
    engine: config.TIDELINE_ENGINE,
    slotsMax: 2 * config.TIDELINE_SERIES_MAX,
    onEngine: ({ topic, engine, reasons }) =>
      log.info({ topic, engine: engine.name, model: engine.modelName, reasons }, 'Engine chosen.'),
  });
  await using stack = new ResourceStack();
  stack.defer(async () => {
    for (const { engine } of topics.values()) engine.dispose();
  });
  const store = stack.use(
    await createRedisShardStore({ url, prefix, logBytesMax: Number.MAX_SAFE_INTEGER, onWarning }),
  );
  const live = stack.use(await createRedisLiveFeed({ url, channel: `${prefix}-live`, onWarning }));
  const points = stack.use(await createInfluxSink(influxOptions(config)));
  const sink = await withAlerts({ config, points, stack, log });
  const deadLetters = await openDeadLetters({ config, topics, stack, log });
  const queue = stack.use(
    await createBullTicketQueue({
      url,
      name: `${prefix}-tickets`,
      lockDurationMs: config.TIDELINE_LOCK_DURATION_MS,
      stalledIntervalMs: config.TIDELINE_STALLED_INTERVAL_MS,
      onError: (error, ticket) => log.error({ err: error, ticket }, 'A ticket failed; its shard is served again.'),
    }),
  );
  const idleMs = config.TIDELINE_HOLD_MS;
  const forecaster = new Forecaster({
    ...{ store, queue, sink, live, topics, owner, sleep, ...deadLetters },
    foreignModel: 'leave',
    onEvent: createForecasterEvents(log, metrics),
    batchEntriesMax: config.TIDELINE_BATCH_ENTRIES_MAX,
    sliceRecordsMax: config.TIDELINE_SLICE_RECORDS_MAX,
    seriesMax: config.TIDELINE_SERIES_MAX,
    backlogsMax: config.TIDELINE_BACKLOGS_MAX,
    ...(idleMs === 0 ? {} : { hold: { idleMs, slots: config.TIDELINE_CONCURRENCY } }),
  });
  const listener = (shard: string, head: number): void => forecaster.appended(shard, head);
  if (idleMs > 0) stack.use(await createRedisAppendFeed({ url, prefix, owner, listener, onWarning }));
  const checks = {
    redis: async () => {
      await store.status();
    },
  };
  const { TIDELINE_HEALTH_HOST: host, TIDELINE_HEALTH_PORT: port } = config;
  const health = stack.use(await startHealthServer({ host, port, checks, metrics }));
  await queue.work((ticket, lost) => forecaster.handle(ticket, AbortSignal.any([lost, signals.abort])), {
    concurrency: config.TIDELINE_CONCURRENCY,
  });
  log.info({ owner, health: health.url, streams: config.TIDELINE_STREAMS }, 'Forecaster is ready.');
  while (!signals.drain.aborted) await sleep(CHECK_MS, signals.drain);
  log.info({ owner }, 'Forecaster hands its shards over.');
  forecaster.stop();
  await queue.drain();
}

/** The sink of late records, where a topic's policy needs one: otherwise the forecaster needs no Kafka. */
async function openDeadLetters(parts: {
  readonly config: ForecasterConfig;
  readonly topics: ReadonlyMap<string, { readonly stream: Stream }>;
  readonly stack: ResourceStack;
  readonly log: Logger;
}): Promise<{ readonly deadLetters?: DeadLetterSink }> {
  const { config, topics, stack, log } = parts;
  if (![...topics.values()].some(({ stream }) => stream.late === 'dead-letter')) return {};
  const { TIDELINE_KAFKA_BROKERS: brokers, TIDELINE_DEAD_LETTER_TOPIC: topic } = config;
  const onLog = (level: 'warn' | 'error', message: string): void =>
    log[level]({ reason: message }, 'Kafka needs attention.');
  return { deadLetters: stack.use(await createKafkaDeadLetterSink({ brokers, topic, onLog })) };
}

/** The sink that tells alerts in their topic, too, where a topic has rules: otherwise the forecaster needs no Kafka. */
async function withAlerts(parts: {
  readonly config: ForecasterConfig;
  readonly points: PointSink;
  readonly stack: ResourceStack;
  readonly log: Logger;
}): Promise<PointSink> {
  const { config, points: sink, stack, log } = parts;
  if (servedTopics(config).every(({ rules }) => rules === undefined)) return sink;
  const { TIDELINE_KAFKA_BROKERS: brokers, TIDELINE_ALERT_TOPIC: topic } = config;
  const onLog = (level: 'warn' | 'error', message: string): void =>
    log[level]({ reason: message }, 'Kafka needs attention.');
  return stack.use(await createPointTopicSink({ brokers, topic, sink, messageOf: alertMessage, onLog }));
}

function alertMessage(line: string): { readonly key: string; readonly value: string } | null {
  const alert = parseAlert(line);
  return alert === null ? null : { key: alert.id, value: JSON.stringify(alert) };
}

function influxOptions(config: ForecasterConfig): Parameters<typeof createInfluxSink>[0] {
  const { TIDELINE_INFLUX_URL: url, TIDELINE_INFLUX_DATABASE: database } = config;
  const { TIDELINE_INFLUX_USERNAME: username, TIDELINE_INFLUX_PASSWORD: password } = config;
  return username !== undefined && password !== undefined ? { url, database, username, password } : { url, database };
}
