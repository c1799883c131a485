import type { Logger, Metrics } from '@tideline/runtime';

export type WebhookEvent =
  | { readonly type: 'queued'; readonly alerts: number }
  | { readonly type: 'skipped'; readonly alerts: number }
  | { readonly type: 'retrying'; readonly attempt: number; readonly reason: string }
  | { readonly type: 'refused-record'; readonly offset: number; readonly reason: string }
  | { readonly type: 'delivered'; readonly id: string; readonly attempts: number; readonly seconds: number }
  | { readonly type: 'failed'; readonly id: string; readonly attempts: number; readonly reason: string }
  | { readonly type: 'given-up'; readonly id: string; readonly attempts: number; readonly reason: string };

export type OnWebhookEvent = (event: WebhookEvent) => void;

const SECONDS_BUCKETS = [0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3_600, 86_400];

/** Log line and counter of each event of the webhook, from one place. */
export function createWebhookEvents(log: Logger, metrics: Metrics): OnWebhookEvent {
  const queued = metrics.counter('forecast_webhook_queued_total', 'Alerts taken from the topic to be delivered.');
  const attempts = metrics.counter('forecast_webhook_attempts_total', 'Attempts to deliver an alert.', ['outcome']);
  const letters = metrics.counter('forecast_webhook_dead_letters_total', 'Alerts that were given up, or were none.');
  const seconds = metrics.histogram('forecast_webhook_seconds', 'From queued to delivered.', {
    buckets: SECONDS_BUCKETS,
  });
  return (event) => {
    switch (event.type) {
      case 'queued':
        queued.inc(event.alerts);
        break;
      case 'skipped':
        log.info({ alerts: event.alerts }, 'Alerts from long before the webhook was set up are not delivered.');
        break;
      case 'retrying':
        log.warn({ attempt: event.attempt, reason: event.reason }, 'Alerts wait to be queued.');
        break;
      case 'refused-record':
        letters.inc();
        log.warn(
          { offset: event.offset, reason: event.reason },
          'A record of the topic of alerts is none: dead letter.',
        );
        break;
      case 'delivered':
        attempts.inc({ outcome: 'delivered' });
        seconds.observe(event.seconds);
        log.debug({ alert: event.id, attempts: event.attempts }, 'Alert delivered.');
        break;
      case 'failed':
        attempts.inc({ outcome: 'failed' });
        log.warn({ alert: event.id, attempts: event.attempts, reason: event.reason }, 'Alert not delivered yet.');
        break;
      case 'given-up':
        attempts.inc({ outcome: 'given up' });
        letters.inc();
        log.error({ alert: event.id, attempts: event.attempts, reason: event.reason }, 'Alert given up: dead letter.');
        break;
    }
  };
}
