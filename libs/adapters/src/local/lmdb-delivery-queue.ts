import { RetryableError, type Shard, shardName } from '@tideline/pipeline';
import type { DeliveryAttempt, DeliveryOutcome, DeliveryQueue } from '../bullmq/delivery-queue.ts';
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
  const { folder, waitingMax = WAITING_MAX, errorAgainMs = ERROR_AGAIN_MS, onError = () => undefined } = options;
  const root = openLmdb(folder);
  const kept = root.openDB<Kept, string>('deliveries', { encoding: 'msgpack' });
  const positions = root.openDB<number, string>('positions', { encoding: 'msgpack' });
  /** When each is to be tried; those at work are not among them. */
  const due = new Map<string, number>();
  const atWork = new Map<string, Promise<void>>();
  const done: string[] = [];
  let worker: { readonly handler: Handler; readonly concurrency: number } | null = null;
  let timer: NodeJS.Timeout | undefined;
  const finished: { readonly id: string; readonly doneMs: number }[] = [];
  for (const { key: id, value } of kept.getRange())
    if (value.doneMs === null) due.set(id, value.dueMs);
    else finished.push({ id, doneMs: value.doneMs });
  for (const { id } of finished.sort((a, b) => a.doneMs - b.doneMs)) done.push(id);

  /** Hands out what is due, as far as there is room, and wakes up for the next. */
  function pump(): void {
    clearTimeout(timer);
    if (worker === null) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [id, dueMs] of due) {
      if (atWork.size === worker.concurrency) return;
      if (dueMs > Date.now()) nextMs = Math.min(nextMs, dueMs);
      else {
        due.delete(id);
        atWork.set(id, attempt(id, worker.handler));
      }
    }
    if (nextMs !== Number.POSITIVE_INFINITY) timer = setTimeout(pump, Math.max(1, nextMs - Date.now()));
  }

  async function attempt(id: string, handler: Handler): Promise<void> {
    const { dueMs: _, doneMs: __, ...content } = kept.get(id) as Kept;
    try {
      const outcome = await handler({ id, ...content });
      await settle(id, content, outcome);
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
      due.set(id, Date.now() + errorAgainMs);
    }
    atWork.delete(id);
    pump();
  }

  async function settle(id: string, content: Omit<DeliveryAttempt, 'id'>, outcome: DeliveryOutcome): Promise<void> {
    const now = Date.now();
    const attempts = content.attempts + 1;
    if (!outcome.done) {
      const dueMs = now + outcome.againAfterMs;
      await lmdbWrite(root, folder, () => kept.putSync(id, { ...content, attempts, dueMs, doneMs: null }));
      due.set(id, dueMs);
      return;
    }
    const oldest = done.length >= DONE_KEPT_MAX ? done[0] : null;
    await lmdbWrite(root, folder, () => {
      // Its id is what is still needed.
      kept.putSync(id, { ...content, content: '', attempts, dueMs: now, doneMs: now });
      if (oldest !== null) kept.removeSync(oldest);
    });
    if (oldest !== null) done.shift();
    done.push(id);
  }

  async function drain(): Promise<void> {
    worker = null;
    clearTimeout(timer);
    await Promise.all(atWork.values());
  }

  return {
    position: async (shard: Shard) => positions.get(shardName(shard)) ?? null,
    async add(shard, deliveries, next) {
      const fresh = deliveries.filter(({ id }) => kept.get(id) === undefined);
      if (due.size + atWork.size + fresh.length > waitingMax)
        throw new RetryableError(`${waitingMax} deliveries wait in '${folder}' already: mend the receiver.`);
      const addedMs = Date.now();
      await lmdbWrite(root, folder, () => {
        for (const { id, content, offset } of fresh)
          kept.putSync(id, { shard, content, offset, addedMs, attempts: 0, dueMs: addedMs, doneMs: null });
        positions.putSync(shardName(shard), next);
      });
      for (const { id } of fresh) due.set(id, addedMs);
      pump();
    },
    async work(handler, { concurrency }) {
      worker = { handler, concurrency };
      pump();
    },
    waiting: async () => due.size + atWork.size,
    drain,
    async [Symbol.asyncDispose]() {
      await drain();
      await root.close();
    },
  };
}
