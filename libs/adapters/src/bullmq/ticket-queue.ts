/**
 * Tickets as BullMQ jobs. The queue only wakes workers up; what a ticket means stands in the shard store.
 *
 * - Job id `<shard>-<number>`, so that announcing a ticket twice is one job while it is outstanding.
 * - attempts 1 and no backoff. After a handler threw, its job is moved from active to waiting in one step of Redis: no moment without a ticket.
 * - A stalled job (its worker died) goes back to the head of the line. `maxStalledCount` is out of reach, because BullMQ would fail the job.
 * - A lost lock does not stop a handler by itself: it is wired to the signal. The store's epoch is what keeps two writers apart.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError, type Shard, shardName, type Ticket, type TicketQueue } from '@tideline/pipeline';
import { type Job, Queue, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { connectionAddress, openRedis, SILENCE_MS_MAX } from '../redis/redis-connection.ts';
import { translateRedisError, withRedisErrors } from '../redis/redis-errors.ts';
import { createWorkerRedis } from './worker-redis.ts';

export interface BullTicketQueueOptions {
  /** `redis://[:PASSWORD@]HOST:PORT[/DB]`. */
  readonly url: string;
  /** Name of the queue, without `:`. */
  readonly name: string;
  /** A worker that does not renew a lock for so long has lost it. */
  readonly lockDurationMs?: number;
  /** How often stalled jobs are looked for. A dead worker's shard is served again after at most the sum of both. */
  readonly stalledIntervalMs?: number;
  /** Wait before the ticket of a handler that threw goes back to the line, so that a lasting fault does not spin. */
  readonly redeliverAfterMs?: number;
  /** Told of handlers that threw (with their ticket) and of trouble with Redis. */
  readonly onError?: (error: Error, ticket: Ticket | null) => void;
}

const LOCK_DURATION_MS = 2_000;
const STALLED_INTERVAL_MS = 500;
const REDELIVER_AFTER_MS = 100;
const STALLED_COUNT_MAX = 1_000_000_000;
/** Longest wait of a worker for a job; only bounds how late it notices a connection that broke in silence. */
const DRAIN_DELAY_S = 2;
const RUN_RETRY_MS = 500;
const RECONNECT_MS_STEP = 100;
const RECONNECT_MS_MAX = 1_000;

type Handler = (ticket: Ticket, signal: AbortSignal) => Promise<void>;
interface TicketJob {
  readonly topic: string;
  readonly partition: number;
  readonly number: number;
}

/** Connects. Throws RetryableError where no Redis answers, ConfigError where it refuses. */
export async function createBullTicketQueue(options: BullTicketQueueOptions): Promise<TicketQueue> {
  if (options.name.includes(':')) throw new RangeError("The name of a ticket queue must not hold ':'.");
  const onWarning = (message: string) => options.onError?.(new RetryableError(message), null);
  const redis = await openRedis(options.url, { name: 'tideline-tickets', onWarning });
  return new BullTicketQueue(options, redis);
}

class BullTicketQueue implements TicketQueue {
  readonly #options: BullTicketQueueOptions;
  readonly #redis: Redis;
  readonly #address: string;
  readonly #queue: Queue<TicketJob>;
  readonly #stop = new AbortController();
  #worker: Worker<TicketJob> | null = null;
  #workerRedis: Redis | null = null;
  #drained: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: BullTicketQueueOptions, redis: Redis) {
    this.#options = options;
    this.#redis = redis;
    this.#address = connectionAddress(redis);
    this.#queue = new Queue<TicketJob>(options.name, {
      connection: redis,
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
    });
    this.#queue.on('error', (error) => this.#trouble(error));
  }

  async announce({ shard, number }: Ticket): Promise<void> {
    await withRedisErrors(this.#address, () =>
      this.#queue.add('ticket', { ...shard, number }, { jobId: ticketId(shard, number) }),
    );
  }

  async work(handler: Handler, { concurrency }: { readonly concurrency: number }): Promise<void> {
    const { lockDurationMs = LOCK_DURATION_MS, stalledIntervalMs = STALLED_INTERVAL_MS } = this.#options;
    // BullMQ wants commands that wait for ever. Its own connection, since BLMOVE holds it; BullMQ duplicates it, options and all.
    this.#workerRedis = createWorkerRedis(this.#options.url, {
      connectionName: 'tideline-worker',
      maxRetriesPerRequest: null,
      socketTimeout: SILENCE_MS_MAX,
      // While draining nobody waits for a Redis that is away: a job that could not be ended there goes stalled and comes again.
      retryStrategy: (times) =>
        this.#stop.signal.aborted ? null : Math.min(times * RECONNECT_MS_STEP, RECONNECT_MS_MAX),
    });
    this.#workerRedis.on('error', () => undefined); // the worker tells of it
    const worker = new Worker<TicketJob>(
      this.#options.name,
      (job, token, signal) =>
        this.#serve(handler, job, {
          ...(token === undefined ? {} : { token }),
          ...(signal === undefined ? {} : { signal }),
        }),
      {
        connection: this.#workerRedis,
        concurrency,
        lockDuration: lockDurationMs,
        stalledInterval: stalledIntervalMs,
        maxStalledCount: STALLED_COUNT_MAX,
        drainDelay: DRAIN_DELAY_S,
        runRetryDelay: RUN_RETRY_MS,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
    );
    this.#worker = worker;
    worker.on('error', (error) => this.#trouble(error));
    worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) worker.cancelJob(id, 'The lock of the ticket is lost.');
    });
    await withRedisErrors(this.#address, () => worker.waitUntilReady());
  }

  drain(): Promise<void> {
    this.#drained ??= (async () => {
      this.#stop.abort();
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

  /** A ticket whose handler failed goes back to the line at once or not at all; this job ends by WaitingError, which BullMQ takes as "moved". */
  async #serve(
    handler: Handler,
    job: Job<TicketJob>,
    control: { readonly token?: string; readonly signal?: AbortSignal },
  ): Promise<void> {
    const { topic, partition, number } = job.data;
    const ticket: Ticket = { shard: { topic, partition }, number };
    const { token, signal = new AbortController().signal } = control;
    try {
      await handler(ticket, signal);
    } catch (error) {
      this.#options.onError?.(error instanceof Error ? error : new Error(String(error)), ticket);
      const { redeliverAfterMs = REDELIVER_AFTER_MS } = this.#options;
      const stop = AbortSignal.any([this.#stop.signal, signal]);
      await sleep(redeliverAfterMs, undefined, { signal: stop }).catch(() => undefined);
      // With the lock lost the ticket is somebody else's already, and Redis refuses the move.
      if (!signal.aborted) await job.moveToWait(token);
      throw new WaitingError();
    }
  }

  #trouble(error: unknown): void {
    this.#options.onError?.(translateRedisError(error, this.#address), null);
  }
}

function ticketId(shard: Shard, number: number): string {
  return `${shardName(shard)}-${number}`;
}
