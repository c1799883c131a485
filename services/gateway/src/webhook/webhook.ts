/**
 * The topic of alerts to somebody's HTTPS address, each alert at least once.
 *
 *   Step 1. Records of the topic become deliveries in the queue, then the position is noted beside them.
 *   Step 2. A delivery is tried until the receiver takes it; between attempts it waits in the queue, whoever runs this.
 *   Step 3. One that the receiver refuses for good, or that was tried for `giveUpAfterMs`, is a dead letter first and done then.
 */
import type { DeliveryAttempt, DeliveryOutcome, DeliveryQueue } from '@tideline/adapters';
import {
  BEGINNING,
  type DeadLetter,
  type DeadLetterSink,
  type RawRecord,
  type RecordSource,
  retryInPlace,
  type Shard,
  type SourceBatch,
  type SourceHandler,
  shardName,
} from '@tideline/pipeline';
import { backoffMs } from './backoff.ts';
import { type PostOutcome, postAlert, type Receiver } from './post-alert.ts';
import { readAlertRecord } from './read-alert-record.ts';
import type { OnWebhookEvent } from './webhook-events.ts';

export interface WebhookOptions {
  readonly source: RecordSource;
  readonly queue: DeliveryQueue;
  readonly deadLetters: DeadLetterSink;
  readonly receiver: Receiver;
  /** From when an alert was queued. Also: alerts older than this are not delivered where the webhook is new. */
  readonly giveUpAfterMs: number;
  readonly onEvent: OnWebhookEvent;
  /** Ends the attempts under way. */
  readonly signal: AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export type DeliveryOptions = Omit<WebhookOptions, 'source' | 'sleep'>;

export interface Webhook {
  /** Has the topic read again from where the queue stands, should the queue have lost what it had. Throws RetryableError. */
  mend(): Promise<void>;
  drain(): Promise<void>;
}

const DELIVERIES_AT_ONCE = 8;
const RETRY_MS_MAX = 5_000;

/** Starts to read and to deliver. Throws RetryableError or ConfigError. */
export async function startWebhook(options: WebhookOptions): Promise<Webhook> {
  const { source, queue } = options;
  const intake = new Intake(options);
  await startDeliveries(options);
  await source.run(intake);
  return {
    mend: () => intake.mend(),
    async drain() {
      await source.drain();
      await queue.drain();
    },
  };
}

/** Steps 2 and 3 alone, for a queue that somebody else fills. */
export async function startDeliveries(options: DeliveryOptions): Promise<void> {
  await options.queue.work((attempt) => deliver(options, attempt), { concurrency: DELIVERIES_AT_ONCE });
}

/** Step 1. */
class Intake implements SourceHandler {
  readonly #options: WebhookOptions;
  /** Where each shard was read to. */
  readonly #next = new Map<string, { readonly shard: Shard; readonly next: number }>();
  /** Alerts of before are not delivered: nobody had asked for them. */
  #sinceMs = 0;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  async start(shard: Shard, low?: number): Promise<number | null> {
    const position = await this.#options.queue.position(shard);
    this.#next.delete(shardName(shard));
    if (position === null) this.#sinceMs = Date.now() - this.#options.giveUpAfterMs;
    return position !== null && low !== undefined ? Math.max(position, low) : position;
  }

  batch(batch: SourceBatch): Promise<{ readonly seek: number | null }> {
    const { sleep, signal, onEvent } = this.#options;
    const onRetry = (attempt: number, { message: reason }: Error): void =>
      onEvent({ type: 'retrying', attempt, reason });
    return retryInPlace(() => this.#take(batch), { sleep, signal, delayMsMax: RETRY_MS_MAX, onRetry });
  }

  async #take({ shard, from, next, records }: SourceBatch): Promise<{ readonly seek: number | null }> {
    const { queue, deadLetters, onEvent } = this.#options;
    const position = await queue.position(shard);
    // Redis lost its last second, or all: what came from there on is queued again.
    if (this.#next.has(shardName(shard)) && (position ?? -1) < from) return { seek: position ?? BEGINNING };
    const wanted = records.filter(({ timestampMs }) => timestampMs >= this.#sinceMs);
    const read = wanted.map((record) => ({ record, alert: readAlertRecord(record) }));
    const strange = read.filter(({ alert }) => alert === null).map(({ record }) => record);
    const reason = 'It is no alert as the forecaster tells them.';
    if (strange.length > 0)
      await deadLetters.write(strange.map((record) => letterOf(shard, record, { code: 'POISON_RECORD', reason })));
    const deliveries = read.flatMap(({ record: { offset }, alert }) =>
      alert === null ? [] : [{ id: alert.deliveryId, content: alert.body, offset }],
    );
    await queue.add(shard, deliveries, next);
    this.#next.set(shardName(shard), { shard, next });
    for (const { offset } of strange) onEvent({ type: 'refused-record', offset, reason });
    if (deliveries.length > 0) onEvent({ type: 'queued', alerts: deliveries.length });
    if (wanted.length < records.length) onEvent({ type: 'skipped', alerts: records.length - wanted.length });
    return { seek: null };
  }

  async mend(): Promise<void> {
    const { queue, source } = this.#options;
    for (const { shard, next } of this.#next.values())
      if (((await queue.position(shard)) ?? -1) < next) source.reposition(shard);
  }
}

/** Steps 2 and 3. Throws where the dead letter cannot be kept: the queue asks again. */
async function deliver(options: DeliveryOptions, attempt: DeliveryAttempt): Promise<DeliveryOutcome> {
  const { receiver, deadLetters, giveUpAfterMs, onEvent, signal } = options;
  const { content: body, addedMs, offset, shard } = attempt;
  const id = readAlertRecord({ value: Buffer.from(body), offset, headers: {} })?.id ?? attempt.id;
  const outcome: PostOutcome = await postAlert(receiver, { id, body, nowMs: Date.now(), signal });
  const attempts = attempt.attempts + 1;
  const ageMs = Date.now() - addedMs;
  if (outcome.kind === 'delivered') {
    onEvent({ type: 'delivered', id, attempts, seconds: ageMs / 1_000 });
    return { done: true };
  }
  const { reason } = outcome;
  // A service that stops breaks its attempts off: they say nothing about the receiver.
  if (signal.aborted) return { done: false, againAfterMs: 0 };
  const againAfterMs = backoffMs(attempts, Math.random(), outcome.kind === 'failed' ? outcome.retryAfterMs : 0);
  if (outcome.kind === 'failed' && ageMs + againAfterMs <= giveUpAfterMs) {
    onEvent({ type: 'failed', id, attempts, reason });
    return { done: false, againAfterMs };
  }
  const record = { offset, key: Buffer.from(id), value: Buffer.from(body), timestampMs: addedMs, headers: {} };
  const said = `${reason} ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} in ${Math.round(ageMs / 1_000)} s.`;
  await deadLetters.write([letterOf(shard, record, { code: 'UNDELIVERED_RECORD', reason: said })]);
  onEvent({ type: 'given-up', id, attempts, reason });
  return { done: true };
}

function letterOf(shard: Shard, record: RawRecord, { code, reason }: Pick<DeadLetter, 'code' | 'reason'>): DeadLetter {
  return { code, shard, offset: record.offset, reason, field: '', record };
}
