import {
  createBullDeliveryQueue,
  createKafkaDeadLetterSink,
  createKafkaSource,
  ensureTopics,
} from '@tideline/adapters';
import { type Logger, type Metrics, type ResourceStack, type ServiceSignals, sleep } from '@tideline/runtime';
import type { GatewayConfig } from '../config.ts';
import { startWebhook, type Webhook } from './webhook.ts';
import { createWebhookEvents } from './webhook-events.ts';

/** The webhook over Kafka and Redis; null where none is configured. Throws ConfigError or RetryableError. */
export async function openWebhook(parts: {
  readonly config: GatewayConfig;
  readonly stack: ResourceStack;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly signals: ServiceSignals;
}): Promise<Webhook | null> {
  const { config, stack, log, metrics, signals } = parts;
  const { TIDELINE_WEBHOOK_URL: url, TIDELINE_WEBHOOK_SECRET: keys } = config;
  if (url === undefined || !keys) return null;
  const { TIDELINE_KAFKA_BROKERS: brokers, TIDELINE_ALERT_TOPIC: topic, TIDELINE_REDIS_PREFIX: prefix } = config;
  const onLog = (level: 'warn' | 'error', message: string): void =>
    log[level]({ reason: message }, 'Kafka needs attention.');
  await ensureTopics({ brokers, topics: [{ topic, partitions: 1 }] });
  const deadLetters = stack.use(
    await createKafkaDeadLetterSink({ brokers, topic: config.TIDELINE_DEAD_LETTER_TOPIC, onLog }),
  );
  const queue = stack.use(
    await createBullDeliveryQueue({
      url: config.TIDELINE_REDIS_URL,
      name: `${prefix}-webhook`,
      onError: (error) => log.warn({ reason: error.message }, 'The queue of the webhook needs attention.'),
    }),
  );
  const source = stack.use(createKafkaSource({ brokers, topics: [topic], groupId: `${prefix}-webhook`, onLog }));
  const waiting = metrics.gauge('forecast_webhook_waiting_alerts', 'Alerts that are not delivered yet.');
  const webhook = await startWebhook({
    ...{ source, queue, deadLetters, sleep },
    receiver: { url, keys, timeoutMs: config.TIDELINE_WEBHOOK_TIMEOUT_MS },
    giveUpAfterMs: config.TIDELINE_WEBHOOK_GIVE_UP_MS,
    onEvent: createWebhookEvents(log, metrics),
    // Attempts under way are short: they end by themselves unless time runs out.
    signal: signals.abort,
  });
  return {
    async mend() {
      await webhook.mend();
      waiting.set(await queue.waiting());
    },
    drain: webhook.drain,
  };
}
