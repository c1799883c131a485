import { setTimeout as sleep } from 'node:timers/promises';
import {
  BEGINNING,
  type RawRecord,
  type RecordSource,
  type Shard,
  type SourceHandler,
  shardName,
} from '@tideline/pipeline';

/** One message of an embedded feed: a file's line, a generated tick. */
export interface FeedRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly timestampMs: number;
}

export interface FeedSourceOptions {
  /** Opens the feed from its start; called again where the handler seeks backwards. */
  readonly open: () => AsyncIterable<FeedRecord> | Iterable<FeedRecord>;
  /**
   * True: the feed gives the same records at each opening (a file), so offsets count from 0 and what the store has is skipped.
   * False: it gives each record once (standard input), so offsets go on from the store's head.
   */
  readonly replayable: boolean;
  readonly partitions: number;
  readonly batchRecordsMax: number;
  /** Called before each batch with its records; resolves when the batch is due (a live feed's pace). */
  readonly pace?: (records: readonly FeedRecord[], signal: AbortSignal) => Promise<void>;
  /** Longest time that a record of a slow feed waits for its batch to fill. */
  readonly lingerMs?: number;
}

/** A source of the embedded mode, which says when its feed is at the end. */
export interface FeedSource extends RecordSource {
  /** Resolves when the last record of the feed was accepted; rejects where reading the feed failed. */
  readonly finished: Promise<void>;
}

interface Partition {
  readonly shard: Shard;
  /** Offset of the next record that the feed gives. */
  next: number;
  /** Offset up to which the store has everything. */
  head: number;
  waiting: RawRecord[];
}

const ENCODER = new TextEncoder();

/** Delivers a feed of this process by the RecordSource contract: partitioned by key, offsets counted per partition, back-pressure by waiting. */
export function createFeedSource(options: FeedSourceOptions): FeedSource {
  const abort = new AbortController();
  let finish: () => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  finished.catch(() => undefined); // awaited by whoever cares
  let running: Promise<void> = Promise.resolve();
  const drain = async (): Promise<void> => {
    abort.abort();
    await running;
  };
  return {
    finished,
    run(handler) {
      running = deliver(options, handler, abort.signal).then(finish, fail);
      return Promise.resolve();
    },
    // The embedded store is durable: it does not fall behind what it has answered for.
    reposition: () => undefined,
    drain,
    [Symbol.asyncDispose]: drain,
  };
}

async function deliver(options: FeedSourceOptions, handler: SourceHandler, signal: AbortSignal): Promise<void> {
  let again = true;
  while (again && !signal.aborted) {
    again = false;
    const partitions = new Map<string, Partition>();
    for await (const records of batches(options, signal)) {
      if (signal.aborted) return;
      if (options.pace) await options.pace(records, signal);
      if (signal.aborted) return;
      for (const record of records) await place(options, partitions, handler, record);
      if (!(await flush(partitions, handler))) {
        if (!options.replayable) throw new Error('The store lost records that this feed cannot give again.');
        again = true;
        break;
      }
    }
  }
}

async function place(
  options: FeedSourceOptions,
  partitions: Map<string, Partition>,
  handler: SourceHandler,
  record: FeedRecord,
): Promise<void> {
  const shard = { topic: record.topic, partition: hashOf(record.key) % options.partitions };
  const name = shardName(shard);
  let partition = partitions.get(name);
  if (!partition) {
    const head = (await handler.start(shard)) ?? 0;
    partition = { shard, next: options.replayable ? 0 : head, head, waiting: [] };
    partitions.set(name, partition);
  }
  const offset = partition.next;
  partition.next += 1;
  if (offset < partition.head) return;
  const { key, value, timestampMs } = record;
  partition.waiting.push({ offset, key: ENCODER.encode(key), value: ENCODER.encode(value), timestampMs, headers: {} });
}

/** False where the handler wants a shard from an earlier offset. */
async function flush(partitions: Map<string, Partition>, handler: SourceHandler): Promise<boolean> {
  for (const partition of partitions.values()) {
    const records = partition.waiting;
    if (records.length === 0) continue;
    partition.waiting = [];
    const from = partition.head;
    const { seek } = await handler.batch({ shard: partition.shard, from, next: partition.next, records });
    if (seek === BEGINNING || (seek !== null && seek < from)) return false;
    partition.head = seek ?? partition.next;
  }
  return true;
}

/** Groups the feed into batches: full ones of a replayable feed, of another what came within `lingerMs`. */
function batches(options: FeedSourceOptions, signal: AbortSignal): AsyncGenerator<FeedRecord[]> {
  return options.replayable ? fullBatches(options) : lingeringBatches(options, signal);
}

async function* fullBatches({ open, batchRecordsMax }: FeedSourceOptions): AsyncGenerator<FeedRecord[]> {
  let batch: FeedRecord[] = [];
  for await (const record of open()) {
    batch.push(record);
    if (batch.length < batchRecordsMax) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* lingeringBatches(options: FeedSourceOptions, signal: AbortSignal): AsyncGenerator<FeedRecord[]> {
  const { batchRecordsMax, lingerMs = 50 } = options;
  let batch: FeedRecord[] = [];
  let ended = false;
  let failure: unknown;
  let wake: () => void = () => undefined;
  const reading = (async () => {
    try {
      for await (const record of options.open()) {
        batch.push(record);
        wake();
        while (batch.length >= batchRecordsMax && !signal.aborted) await sleep(1);
        if (signal.aborted) break;
      }
    } catch (error) {
      failure = error;
    }
    ended = true;
    wake();
  })();
  signal.addEventListener('abort', () => wake(), { once: true });
  for (;;) {
    if (batch.length === 0 && !ended && !signal.aborted)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    if (signal.aborted) return;
    if (batch.length < batchRecordsMax && !ended) await sleep(lingerMs);
    const due = batch;
    batch = [];
    if (due.length > 0) yield due;
    if (ended && batch.length === 0) break;
  }
  await reading;
  if (failure !== undefined) throw failure;
}

/** FNV-1a, 32 bits. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of ENCODER.encode(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
