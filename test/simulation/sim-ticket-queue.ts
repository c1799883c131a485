/**
 * The TicketQueue port of one process, as the BullMQ adapter behaves: a worker takes a job with a lock, renews it beside the handler, aborts the
 * handler's signal when a renewal fails, ends the job after the handler, sends it back where the handler threw, and looks for stalled jobs.
 */
import { RetryableError, type Ticket, type TicketQueue } from '@tideline/pipeline';
import type { SimProcess } from './sim-process.ts';
import type { SimRedis } from './sim-redis.ts';
import type { TakenJob } from './ticket-table.ts';
import type { World } from './world.ts';

const LOCK_MS = 3_000;
const STALLED_MS = 1_500;
const REDELIVER_MS = 100;
const POLL_MS = 2_000;
const RETRY_MS = 100;
const ENDING_TRIES_MAX = 3;

type Handler = (ticket: Ticket, signal: AbortSignal) => Promise<void>;

export class SimTicketQueue implements TicketQueue {
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #redis: SimRedis;
  readonly #stop = new AbortController();
  #workers: Promise<void>[] = [];
  #tokens = 0;

  constructor(world: World, process: SimProcess, redis: SimRedis) {
    this.#world = world;
    this.#process = process;
    this.#redis = redis;
  }

  announce(ticket: Ticket): Promise<void> {
    return this.#process.call(this.#redis, 'announce', () => {
      if (this.#world.faults.strikes('ticket-lost')) return;
      this.#redis.change(({ tickets }) => tickets.announce(ticket));
      this.#redis.wakeWorkers();
    });
  }

  work(handler: Handler, { concurrency }: { readonly concurrency: number }): Promise<void> {
    this.#workers = Array.from({ length: concurrency }, () => this.#work(handler));
    void this.#recoverStalled();
    return Promise.resolve();
  }

  async drain(): Promise<void> {
    this.#stop.abort('stop');
    await Promise.all(this.#workers);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  async #work(handler: Handler): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const job = await this.#take();
      if (job !== null) await this.#serve(job, handler);
      else await this.#untilJob();
    }
  }

  async #take(): Promise<TakenJob | null> {
    this.#tokens += 1;
    const token = `${this.#process.name}:${this.#tokens}`;
    try {
      return await this.#process.call(this.#redis, 'take', () => this.#takeAtServer(token));
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      await this.#process.sleep(RETRY_MS, this.#stop.signal);
      return null;
    }
  }

  #takeAtServer(token: string): TakenJob | null {
    const { faults } = this.#world;
    const untilMs = this.#redis.clockMs + LOCK_MS;
    const job = this.#redis.change(({ tickets }) => tickets.take({ token, untilMs }));
    if (job === null) return null;
    if (faults.strikes('ticket-repeated')) {
      this.#redis.change(({ tickets }) => tickets.revoke(job.id));
      this.#redis.wakeWorkers();
    }
    return job;
  }

  /** Resolves when there may be a job, at the latest after the poll time. */
  async #untilJob(): Promise<void> {
    // A reason of our own: the default one is an error with a stack, which costs more than all the rest.
    const woken = new AbortController();
    this.#redis.onJob(() => woken.abort('a job'));
    // Between the empty answer and the wait a job may have come.
    if (this.#redis.state.tickets.waiting > 0) woken.abort('a job');
    await this.#process.sleep(POLL_MS, woken.signal);
  }

  async #serve(job: TakenJob, handler: Handler): Promise<void> {
    const lost = new AbortController();
    const ended = new AbortController();
    void this.#renew(job, lost, ended.signal);
    try {
      await handler(job.ticket, lost.signal);
      ended.abort('ended');
      await this.#end(job, 'complete');
    } catch (error) {
      ended.abort('ended');
      this.#world.note(
        `${this.#process.name} handler threw: ${error instanceof Error ? error.message : String(error)}`,
      );
      await this.#process.sleep(REDELIVER_MS, lost.signal);
      if (!lost.signal.aborted) await this.#end(job, 'sendBack');
    }
  }

  async #renew(job: TakenJob, lost: AbortController, ended: AbortSignal): Promise<void> {
    const { faults } = this.#world;
    for (;;) {
      await this.#process.sleep(LOCK_MS / 2, ended);
      if (ended.aborted) return;
      const holds = await this.#renewOnce(job);
      if (ended.aborted) return;
      if (holds) continue;
      // BullMQ's event is not a promise: a busy process may never get to it before it is done.
      if (!faults.strikes('lock-loss-unseen')) lost.abort('lost');
      return;
    }
  }

  async #renewOnce(job: TakenJob): Promise<boolean> {
    const { faults } = this.#world;
    try {
      return await this.#process.call(this.#redis, 'renew', () => {
        if (faults.strikes('lock-lost')) this.#redis.change(({ tickets }) => tickets.revoke(job.id));
        const lock = { token: job.token, nowMs: this.#redis.clockMs, untilMs: this.#redis.clockMs + LOCK_MS };
        return this.#redis.change(({ tickets }) => tickets.renew(job.id, lock));
      });
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      return true; // tried again at the next interval
    }
  }

  async #end(job: TakenJob, how: 'complete' | 'sendBack'): Promise<void> {
    for (let attempt = 1; attempt <= ENDING_TRIES_MAX; attempt += 1) {
      try {
        await this.#process.call(this.#redis, how, () => {
          const lock = { token: job.token, nowMs: this.#redis.clockMs };
          this.#redis.change(({ tickets }) => tickets[how](job.id, lock));
          if (how === 'sendBack') this.#redis.wakeWorkers();
        });
        return;
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        await this.#process.sleep(RETRY_MS, this.#stop.signal);
      }
    }
    // Left to stall: the job comes again.
  }

  async #recoverStalled(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#process.sleep(STALLED_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#process.call(this.#redis, 'stalled', () => {
          const nowMs = this.#redis.clockMs;
          if (this.#redis.change(({ tickets }) => tickets.recoverStalled(nowMs)) > 0) this.#redis.wakeWorkers();
        });
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
      }
    }
  }
}
