import {
  createInfluxReader,
  createInfluxSink,
  createRedisLiveFeed,
  createRedisShardStore,
  type InfluxReader,
  topicRanges,
} from '@tideline/adapters';
import { RetryableError, TidelineError } from '@tideline/pipeline';
import {
  createLogger,
  createMetrics,
  parseConfig,
  ResourceStack,
  type ServiceSignals,
  sleep,
  startHealthServer,
} from '@tideline/runtime';
import { GATEWAY_CONFIG, type GatewayConfig } from './config.ts';
import { createGateway } from './gateway.ts';
import { readHistory } from './history.ts';
import { openAcknowledgements } from './stack-acknowledgements.ts';
import { StackStats } from './stack-stats.ts';
import { openWebhook } from './webhook/open-webhook.ts';

const CHECK_MS = 1_000;

/** Runs the gateway over the real stack until `drain` aborts. Throws ConfigurationError, or RetryableError where a server does not answer. */
export async function runGateway(
  env: Readonly<Record<string, string | undefined>>,
  signals: ServiceSignals,
): Promise<void> {
  const config = parseConfig(GATEWAY_CONFIG, env);
  const log = createLogger({ service: 'gateway', level: config.TIDELINE_LOG_LEVEL });
  const url = config.TIDELINE_REDIS_URL;
  const prefix = config.TIDELINE_REDIS_PREFIX;
  const onWarning = (message: string): void => log.warn({ reason: message }, 'Redis needs attention.');
  await using stack = new ResourceStack();
  // The gateway only reads: the bound of the shard logs is ingest's.
  const store = stack.use(
    await createRedisShardStore({ url, prefix, logBytesMax: Number.MAX_SAFE_INTEGER, onWarning }),
  );
  const feed = stack.use(await createRedisLiveFeed({ url, channel: `${prefix}-live`, onWarning }));
  const reader = stack.use(createInfluxReader(influxOptions(config)));
  log.info({ influx: await reader.ping() }, 'InfluxDB answers.');
  const stats = new StackStats({
    store,
    countForecasts: () => unlessMissing(() => countForecasts(reader), 0),
    countDeadLetters: () => countDeadLetters(config),
    onTrouble: (message) => log.warn({ reason: message }, 'A figure of the page cannot be read.'),
  });
  const openSink = () => createInfluxSink(influxOptions(config));
  const acknowledgements = stack.use(await openAcknowledgements({ url, prefix, feed, openSink, onWarning }));
  const token = config.TIDELINE_GATEWAY_TOKEN;
  const gateway = stack.use(
    await createGateway({
      feed,
      history: () => unlessMissing(() => readHistory(reader), []),
      stats: () => stats.read(),
      keepAcknowledgement: acknowledgements.keep,
      host: config.TIDELINE_GATEWAY_HOST,
      port: config.TIDELINE_GATEWAY_PORT,
      logger: log,
      ...(token === undefined ? {} : { token }),
    }),
  );
  const metrics = createMetrics();
  const webhook = await openWebhook({ config, stack, log, metrics, signals });
  const checks = { redis: async () => void (await store.status()) };
  const { TIDELINE_HEALTH_HOST, TIDELINE_HEALTH_PORT } = config;
  const health = stack.use(
    await startHealthServer({ host: TIDELINE_HEALTH_HOST, port: TIDELINE_HEALTH_PORT, checks, metrics }),
  );
  log.info({ url: gateway.url, health: health.url, webhook: webhook !== null }, 'Gateway is ready.');
  while (!signals.drain.aborted) {
    await webhook?.mend().catch((error: unknown) => {
      if (!(error instanceof RetryableError)) throw error;
      log.warn({ reason: error.message }, 'The webhook waits for Redis.');
    });
    await sleep(CHECK_MS, signals.drain);
  }
  await webhook?.drain();
}

/** The database is made by the first forecaster: until then there is nothing to read, which is no fault. */
async function unlessMissing<T>(read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TidelineError && error.message.includes('database not found')) return otherwise;
    throw error;
  }
}

async function countForecasts(reader: InfluxReader): Promise<number> {
  const counts = await Promise.all(
    ['SELECT COUNT(q50) FROM forecast', 'SELECT COUNT(score) FROM sentiment', 'SELECT COUNT(q50) FROM arrivals'].map(
      (query) => reader.query(query),
    ),
  );
  return counts.flat().reduce((total, row) => total + Number(row.count), 0);
}

async function countDeadLetters(config: GatewayConfig): Promise<number> {
  const { TIDELINE_KAFKA_BROKERS: brokers, TIDELINE_DEAD_LETTER_TOPIC: topic } = config;
  const ranges = await topicRanges({ brokers, topics: [topic] });
  return (ranges.get(topic) ?? []).reduce((total, { low, high }) => total + high - low, 0);
}

function influxOptions(config: GatewayConfig): Parameters<typeof createInfluxReader>[0] {
  const { TIDELINE_INFLUX_URL: url, TIDELINE_INFLUX_DATABASE: database } = config;
  const { TIDELINE_INFLUX_USERNAME: username, TIDELINE_INFLUX_PASSWORD: password } = config;
  return username !== undefined && password !== undefined ? { url, database, username, password } : { url, database };
}
