import { RetryableError, type Shard, shardName } from '@tideline/pipeline';
import type { Database, RootDatabase } from 'lmdb';
import type { Delivery, DeliveryAttempt, DeliveryOutcome, DeliveryQueue } from '../bullmq/delivery-queue.ts';
import { lmdbWrite, openLmdb } from './lmdb-open.ts';

export interface LmdbDeliveryQueueOptions {
  /** A folder of its own. */
  readonly folder: string;
  /** Deliveries that wait at most: `add` throws RetryableError for more, so that its caller waits; 20,000 unless said. */
  readonly waitingMax?: number;
  /** Wait after a handler that threw. */
  readonly errorAgainMs?: number;
  /** Told of handlers that threw. */
  readonly onError?: (error: Error) => void;
}

interface Kept extends Omit<DeliveryAttempt, 'id'> {
  /** When it is to be tried, epoch ms. */
  readonly dueMs: number;
  /** null: not done. */
  readonly doneMs: number | null;
}

type Handler = (attempt: DeliveryAttempt) => Promise<DeliveryOutcome>;

const WAITING_MAX = 20_000;
const DONE_KEPT_MAX = 20_000;
const ERROR_AGAIN_MS = 5_000;

/**
 * A DeliveryQueue in a folder of this machine, for one process: what was added outlives `kill -9`, with its attempts. What is added twice is one while it waits
 * and while it is among the newest 20,000 that are done. Throws ConfigError where the folder cannot be used.
 */
export function createLmdbDeliveryQueue(options: LmdbDeliveryQueueOptions): DeliveryQueue {
  return new LmdbDeliveryQueue(options);
}

class LmdbDeliveryQueue implements DeliveryQueue {
  readonly #options: LmdbDeliveryQueueOptions;
  readonly #root: RootDatabase;
  readonly #kept: Database<Kept, string>;
  readonly #positions: Database<number, string>;
  /** When each is to be tried; those at work are not among them. */
  readonly #due = new Map<string, number>();
  readonly #atWork = new Map<string, Promise<void>>();
  /** The oldest first. */
  readonly #done: string[];
  #worker: { readonly handler: Handler; readonly concurrency: number } | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LmdbDeliveryQueueOptions) {
    this.#options = options;
    this.#root = openLmdb(options.folder);
    this.#kept = this.#root.openDB<Kept, string>('deliveries', { encoding: 'msgpack' });
    this.#positions = this.#root.openDB<number, string>('positions', { encoding: 'msgpack' });
    const done: { readonly id: string; readonly doneMs: number }[] = [];
    for (const { key: id, value } of this.#kept.getRange())
      if (value.doneMs === null) this.#due.set(id, value.dueMs);
      else done.push({ id, doneMs: value.doneMs });
    this.#done = done.sort((a, b) => a.doneMs - b.doneMs).map(({ id }) => id);
  }

  async position(shard: Shard): Promise<number | null> {
    return this.#positions.get(shardName(shard)) ?? null;
  }

  async add(shard: Shard, deliveries: readonly Delivery[], next: number): Promise<void> {
    const { folder, waitingMax = WAITING_MAX } = this.#options;
    const fresh = deliveries.filter(({ id }) => this.#kept.get(id) === undefined);
    if (this.#due.size + this.#atWork.size + fresh.length > waitingMax)
      throw new RetryableError(`${waitingMax} deliveries may wait in '${folder}': mend the receiver.`);
    const addedMs = Date.now();
    await lmdbWrite(this.#root, folder, () => {
      for (const { id, content, offset } of fresh)
        this.#kept.putSync(id, { shard, content, offset, addedMs, attempts: 0, dueMs: addedMs, doneMs: null });
      this.#positions.putSync(shardName(shard), next);
    });
    for (const { id } of fresh) this.#due.set(id, addedMs);
    this.#pump();
  }

  async work(handler: Handler, { concurrency }: { readonly concurrency: number }): Promise<void> {
    this.#worker = { handler, concurrency };
    this.#pump();
  }

  async waiting(): Promise<number> {
    return this.#due.size + this.#atWork.size;
  }

  async drain(): Promise<void> {
    this.#worker = null;
    clearTimeout(this.#timer);
    await Promise.all(this.#atWork.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    await this.#root.close();
  }

  /** Hands out what is due, as far as there is room, and wakes up for the next. */
  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#worker === null) return;
    const { handler, concurrency } = this.#worker;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [id, dueMs] of this.#due) {
      if (this.#atWork.size === concurrency) return;
      if (dueMs > Date.now()) nextMs = Math.min(nextMs, dueMs);
      else {
        this.#due.delete(id);
        this.#atWork.set(id, this.#attempt(id, handler));
      }
    }
    if (nextMs !== Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(() => this.#pump(), Math.max(1, nextMs - Date.now()));
  }

  async #attempt(id: string, handler: Handler): Promise<void> {
    const { onError, errorAgainMs = ERROR_AGAIN_MS } = this.#options;
    const { dueMs: _, doneMs: __, ...content } = this.#kept.get(id) as Kept;
    try {
      await this.#settle(id, content, await handler({ id, ...content }));
    } catch (error) {
      onError?.(error instanceof Error ? error : new Error(String(error)));
      this.#due.set(id, Date.now() + errorAgainMs);
    }
    this.#atWork.delete(id);
    this.#pump();
  }

  async #settle(id: string, content: Omit<DeliveryAttempt, 'id'>, outcome: DeliveryOutcome): Promise<void> {
    const { folder } = this.#options;
    const now = Date.now();
    const attempts = content.attempts + 1;
    if (!outcome.done) {
      const dueMs = now + outcome.againAfterMs;
      await lmdbWrite(this.#root, folder, () => this.#kept.putSync(id, { ...content, attempts, dueMs, doneMs: null }));
      this.#due.set(id, dueMs);
      return;
    }
    // Its id is what is still needed.
    await lmdbWrite(this.#root, folder, () =>
      this.#kept.putSync(id, { ...content, content: '', attempts, dueMs: now, doneMs: now }),
    );
    this.#done.push(id);
    const oldest = this.#done.length > DONE_KEPT_MAX ? this.#done.shift() : undefined;
    if (oldest !== undefined) await lmdbWrite(this.#root, folder, () => this.#kept.removeSync(oldest));
  }
}
