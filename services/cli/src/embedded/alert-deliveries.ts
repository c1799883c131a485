/** The webhook without Kafka and Redis: alerts go from the points into a queue in the state folder, before the position is committed. */
import { createLmdbDeliveryQueue, type Delivery } from '@tideline/adapters';
import { createWebhookEvents, startDeliveries, type WebhookConfig } from '@tideline/gateway';
import { type DeadLetterSink, type Lines, type PointSink, type Shard, shardName } from '@tideline/pipeline';
import { createMetrics, type Logger } from '@tideline/runtime';
import { parseAlert } from '@tideline/streams';

export interface AlertDeliveries extends AsyncDisposable {
  /** The sink, with the alerts of what it is given queued, too: a batch is accepted when both have it. */
  besides(sink: PointSink): PointSink;
}

/** Null where no webhook is configured. Throws ConfigError where the folder cannot be used. */
export async function openAlertDeliveries(options: {
  readonly config: WebhookConfig;
  readonly folder: string;
  readonly deadLetters: DeadLetterSink;
  readonly log: Logger;
}): Promise<AlertDeliveries | null> {
  const { config, folder, deadLetters, log } = options;
  const { TIDELINE_WEBHOOK_URL: url, TIDELINE_WEBHOOK_SECRET: keys } = config;
  if (url === undefined || !keys) return null;
  const abort = new AbortController();
  const onError = (error: Error): void => log.warn({ reason: error.message }, 'The queue of the webhook waits.');
  const queue = createLmdbDeliveryQueue({ folder, onError });
  await startDeliveries({
    ...{ queue, deadLetters, signal: abort.signal, giveUpAfterMs: config.TIDELINE_WEBHOOK_GIVE_UP_MS },
    receiver: { url, keys, timeoutMs: config.TIDELINE_WEBHOOK_TIMEOUT_MS },
    onEvent: createWebhookEvents(log, createMetrics()),
  });
  return {
    besides: (sink) => ({
      async write(lines) {
        // Both are waited for, so that no write is under way when the caller repeats it.
        const writes = [sink.write(lines), ...alertsByShard(lines).map((one) => queue.add(...one))];
        for (const result of await Promise.allSettled(writes)) if (result.status === 'rejected') throw result.reason;
      },
      // Closed by its owner.
      [Symbol.asyncDispose]: async () => undefined,
    }),
    async [Symbol.asyncDispose]() {
      abort.abort();
      await queue[Symbol.asyncDispose]();
    },
  };
}

function alertsByShard(lines: Lines): [shard: Shard, deliveries: readonly Delivery[], next: number][] {
  const found = new Map<string, [Shard, Delivery[], number]>();
  for (const line of lines) {
    const alert = parseAlert(line);
    if (alert === null) continue;
    const shard = { topic: alert.stream, partition: alert.partition };
    const entry = found.get(shardName(shard)) ?? [shard, [], 0];
    found.set(shardName(shard), entry);
    entry[1].push({ id: alert.id, content: JSON.stringify(alert), offset: alert.offset });
    entry[2] = Math.max(entry[2], alert.offset + 1);
  }
  return [...found.values()];
}
