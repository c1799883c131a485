import { setTimeout as delay } from 'node:timers/promises';
import { shardName, type Ticket, type TicketQueue } from '@tideline/pipeline';

/** Options of the in-process queue. */
export interface MemoryTicketQueueOptions {
  /** Told of every handler that threw. The ticket is then delivered again, first in line. */
  readonly onError?: (error: unknown, ticket: Ticket) => void;
  /** Wait before a ticket whose handler threw is delivered again, so that a lasting fault does not spin. */
  readonly redeliverAfterMs?: number;
}

type Handler = (ticket: Ticket, signal: AbortSignal) => Promise<void>;

const REDELIVER_AFTER_MS_DEFAULT = 100;

/**
 * A TicketQueue in this process: first in, first out; a ticket is outstanding from its announcement until its handler has returned.
 * A handler that throws is a lost lock: its ticket comes again. The signal of a ticket never aborts, since a process cannot lose a lock to itself.
 */
export function createMemoryTicketQueue(options: MemoryTicketQueueOptions = {}): TicketQueue {
  return new MemoryTicketQueue(options);
}

class MemoryTicketQueue implements TicketQueue {
  readonly #onError: (error: unknown, ticket: Ticket) => void;
  readonly #redeliverAfterMs: number;
  // Bounded by the shards: each has at most one ticket waiting and one in hand.
  readonly #waiting: Ticket[] = [];
  readonly #outstanding = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #handler: Handler | null = null;
  #concurrency = 0;

  constructor(options: MemoryTicketQueueOptions) {
    this.#onError = options.onError ?? (() => {});
    this.#redeliverAfterMs = options.redeliverAfterMs ?? REDELIVER_AFTER_MS_DEFAULT;
  }

  async announce(ticket: Ticket): Promise<void> {
    const id = ticketId(ticket);
    if (this.#outstanding.has(id)) return;
    this.#outstanding.add(id);
    this.#waiting.push(ticket);
    this.#dispatch();
  }

  async work(handler: Handler, options: { readonly concurrency: number }): Promise<void> {
    this.#handler = handler;
    this.#concurrency = options.concurrency;
    this.#dispatch();
  }

  async drain(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  #dispatch(): void {
    while (this.#handler && !this.#stop.signal.aborted && this.#running.size < this.#concurrency) {
      const ticket = this.#waiting.shift();
      if (!ticket) return;
      const run = this.#serve(ticket, this.#handler).finally(() => {
        this.#running.delete(run);
        this.#dispatch();
      });
      this.#running.add(run);
    }
  }

  async #serve(ticket: Ticket, handler: Handler): Promise<void> {
    // The caller of `announce` goes on first, as with a queue in another process.
    await Promise.resolve();
    try {
      await handler(ticket, new AbortController().signal);
      this.#outstanding.delete(ticketId(ticket));
    } catch (error) {
      this.#onError(error, ticket);
      await delay(this.#redeliverAfterMs, undefined, { signal: this.#stop.signal }).catch(() => {});
      this.#waiting.unshift(ticket);
    }
  }
}

function ticketId(ticket: Ticket): string {
  return `${shardName(ticket.shard)}#${ticket.number}`;
}
