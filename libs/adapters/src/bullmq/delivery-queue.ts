/**
 * What has to reach somebody outside, as BullMQ jobs that wait out a receiver that is away.
 *
 * - The position that the jobs were made from stands in the same Redis and is written after them: a Redis that lost its last second has neither, and
 *   what reads the source begins again where the jobs end.
 * - Job id = the delivery's id: what is added twice is one while it waits and for DONE_KEPT_S after it was done.
 * - A delivery that failed is moved to the delayed ones by its own handler. What goes wrong on the way there is an error to BullMQ, which tries the job
 *   again, always; so does it with a stalled one: at least once.
 */
import { RetryableError, type Shard, shardName } from '@tideline/pipeline';
import { DelayedError, type Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { connectionAddress, openRedis, SILENCE_MS_MAX } from '../redis/redis-connection.ts';
import { translateRedisError, withRedisErrors } from '../redis/redis-errors.ts';
import { createWorkerRedis } from './worker-redis.ts';

export interface BullDeliveryQueueOptions {
  /** `redis://[:PASSWORD@]HOST:PORT[/DB]`. */
  readonly url: string;
  /** Name of the queue, without `:`. */
  readonly name: string;
  /** Wait after a handler that threw. */
  readonly errorAgainMs?: number;
  /** Told of trouble with Redis and of handlers that threw. */
  readonly onError?: (error: Error) => void;
}

/** Something to deliver. */
export interface Delivery {
  /** Letters, digits, dots, dashes and underscores, not digits alone. */
  readonly id: string;
  readonly content: string;
  /** Position of its record. */
  readonly offset: number;
}

/** A delivery at one of its attempts. */
export interface DeliveryAttempt extends Delivery {
  readonly shard: Shard;
  /** Attempts before this one. */
  readonly attempts: number;
  /** When it was added, epoch ms. */
  readonly addedMs: number;
}

/** What came of an attempt: done, or to be tried again after a while. */
export type DeliveryOutcome = { readonly done: true } | { readonly done: false; readonly againAfterMs: number };

export interface DeliveryQueue extends AsyncDisposable {
  /** Offset after the records whose deliveries are in the queue; null: none were. Throws RetryableError. */
  position(shard: Shard): Promise<number | null>;
  /** Adds deliveries, then notes that the records before `next` are in the queue. Throws RetryableError. */
  add(shard: Shard, deliveries: readonly Delivery[], next: number): Promise<void>;
  /** Starts to hand out deliveries. A handler that throws is asked again. */
  work(
    handler: (attempt: DeliveryAttempt) => Promise<DeliveryOutcome>,
    options: { readonly concurrency: number },
  ): Promise<void>;
  /** Deliveries that are not done. */
  waiting(): Promise<number>;
  /** Takes no new deliveries and waits for the handlers that run. */
  drain(): Promise<void>;
}

/** A dead worker's deliveries are somebody else's after at most the sum of both. */
const LOCK_DURATION_MS = 5_000;
const STALLED_INTERVAL_MS = 1_000;
const STALLED_COUNT_MAX = 1_000_000_000;
/** Who gives a delivery up is its handler. */
const ATTEMPTS_MAX = 1_000_000_000;
const DRAIN_DELAY_S = 2;
const ERROR_AGAIN_MS = 5_000;
const DONE_KEPT_S = 24 * 60 * 60;
const DONE_KEPT_MAX = 20_000;
const RECONNECT_MS_STEP = 100;
const RECONNECT_MS_MAX = 1_000;

interface DeliveryJob extends Omit<DeliveryAttempt, 'id'> {}

/** Connects. Throws RetryableError where no Redis answers, ConfigError where it refuses. */
export async function createBullDeliveryQueue(options: BullDeliveryQueueOptions): Promise<DeliveryQueue> {
  if (options.name.includes(':')) throw new RangeError("The name of a delivery queue must not hold ':'.");
  const onWarning = (message: string) => options.onError?.(new RetryableError(message));
  return new BullDeliveryQueue(options, await openRedis(options.url, { name: 'tideline-deliveries', onWarning }));
}

class BullDeliveryQueue implements DeliveryQueue {
  readonly #options: BullDeliveryQueueOptions;
  readonly #redis: Redis;
  readonly #address: string;
  readonly #queue: Queue<DeliveryJob>;
  #worker: Worker<DeliveryJob> | null = null;
  #workerRedis: Redis | null = null;
  #drained: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: BullDeliveryQueueOptions, redis: Redis) {
    this.#options = options;
    this.#redis = redis;
    this.#address = connectionAddress(redis);
    this.#queue = new Queue<DeliveryJob>(options.name, {
      connection: redis,
      defaultJobOptions: {
        attempts: ATTEMPTS_MAX,
        backoff: { type: 'fixed', delay: options.errorAgainMs ?? ERROR_AGAIN_MS },
        removeOnComplete: { age: DONE_KEPT_S, count: DONE_KEPT_MAX },
        removeOnFail: true,
      },
    });
    this.#queue.on('error', (error) => this.#trouble(error));
  }

  async position(shard: Shard): Promise<number | null> {
    const text = await withRedisErrors(this.#address, () => this.#redis.hget(this.#positions(), shardName(shard)));
    return text === null ? null : Number(text);
  }

  async add(shard: Shard, deliveries: readonly Delivery[], next: number): Promise<void> {
    const addedMs = Date.now();
    const jobs = deliveries.map(({ id, ...delivery }) => ({
      name: 'delivery',
      data: { ...delivery, shard, attempts: 0, addedMs },
      opts: { jobId: id },
    }));
    await withRedisErrors(this.#address, async () => {
      if (jobs.length > 0) await this.#queue.addBulk(jobs);
      await this.#redis.hset(this.#positions(), shardName(shard), next);
    });
  }

  async work(
    handler: (attempt: DeliveryAttempt) => Promise<DeliveryOutcome>,
    { concurrency }: { readonly concurrency: number },
  ): Promise<void> {
    this.#workerRedis = createWorkerRedis(this.#options.url, {
      connectionName: 'tideline-delivery-worker',
      maxRetriesPerRequest: null,
      socketTimeout: SILENCE_MS_MAX,
      retryStrategy: (times) => (this.#drained !== null ? null : Math.min(times * RECONNECT_MS_STEP, RECONNECT_MS_MAX)),
    });
    this.#workerRedis.on('error', () => undefined); // the worker tells of it
    const worker = new Worker<DeliveryJob>(this.#options.name, (job, token) => this.#serve(handler, job, token), {
      connection: this.#workerRedis,
      concurrency,
      lockDuration: LOCK_DURATION_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: STALLED_COUNT_MAX,
      drainDelay: DRAIN_DELAY_S,
    });
    this.#worker = worker;
    worker.on('error', (error) => this.#trouble(error));
    await withRedisErrors(this.#address, () => worker.waitUntilReady());
  }

  async waiting(): Promise<number> {
    const counts = await withRedisErrors(this.#address, () =>
      this.#queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed'),
    );
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  drain(): Promise<void> {
    this.#drained ??= (async () => {
      await this.#worker?.close();
    })();
    return this.#drained;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= (async () => {
      await this.drain();
      await this.#queue.close();
      for (const redis of [this.#redis, this.#workerRedis]) await redis?.quit().catch(() => redis.disconnect());
    })();
    return this.#closed;
  }

  #positions(): string {
    return `${this.#options.name}-positions`;
  }

  async #serve(
    handler: (attempt: DeliveryAttempt) => Promise<DeliveryOutcome>,
    job: Job<DeliveryJob>,
    token: string | undefined,
  ): Promise<void> {
    const outcome = await handler({ ...job.data, id: job.id ?? '' }).catch((error: unknown) => {
      this.#options.onError?.(error instanceof Error ? error : new Error(String(error)));
      throw error;
    });
    if (outcome.done) return;
    // Killed between the two, the delivery comes again with one attempt more than it had.
    await job.updateData({ ...job.data, attempts: job.data.attempts + 1 });
    await job.moveToDelayed(Date.now() + outcome.againAfterMs, token);
    throw new DelayedError();
  }

  #trouble(error: unknown): void {
    this.#options.onError?.(translateRedisError(error, this.#address));
  }
}
