/**
 * Ingest: a source's batch -> validated, columnar chunk -> the shard's bounded log, and a ticket that says "shard P has work".
 *
 * Order of one batch (safe to be killed at any line: the source is replayed from the store's head):
 *   Step 1. Decode; a record that cannot be read becomes a dead letter.
 *   Step 2. Write the dead letters (idempotent by position): a poison record is kept before the log moves past it.
 *   Step 3. Append the chunk (idempotent by offset). Full: wait, which holds the source back. Elsewhere: seek.
 *   Step 4. Announce the ticket (idempotent by number). A crash before this is mended by `announceOutstanding`.
 */
import type { ChunkBuilder } from './chunk.ts';
import { encodeChunk } from './chunk-codec.ts';
import { PoisonRecordError } from './errors.ts';
import type { OnEvent } from './events.ts';
import type { DeadLetterSink, ShardStore, SourceHandler, TicketQueue } from './ports.ts';
import { BEGINNING } from './ports.ts';
import { builderFor, readRecord } from './read-record.ts';
import type { DeadLetter, Shard, SourceBatch } from './record.ts';
import { shardName } from './record.ts';
import { retryInPlace } from './retry.ts';
import type { Stream } from './stream.ts';

export interface IngestOptions {
  readonly store: ShardStore;
  readonly queue: TicketQueue;
  readonly deadLetters: DeadLetterSink;
  /** Stream of each topic. */
  readonly streams: ReadonlyMap<string, Stream>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
  /** Rows of one log entry at most. */
  readonly chunkRowsMax: number;
  /** How long to wait before asking a full log again. */
  readonly fullRetryMs: number;
  /** The store ends before what the source retains: moves the shard forward to where its records go on, if anything is known of that. */
  readonly catchUp?: (shard: Shard) => Promise<void>;
}

const RETRY_DELAY_MS_MAX = 5_000;

/** The handler that a RecordSource runs, and what it must be asked now and then. */
export interface Ingest extends SourceHandler {
  /**
   * Shards whose log in the store ends before what this process has put there: the store lost changes. The caller has the source position them
   * anew. Without that an idle shard would stay behind until its next record comes.
   */
  fallenBehind(): Promise<Shard[]>;
}

export function createIngest(options: IngestOptions): Ingest {
  // Shards that the store does not know: their next batch comes from the beginning and creates them.
  const beginning = new Set<string>();
  // Where the log of each shard that this process reads ended when it last heard of it.
  const heads = new Map<string, { readonly shard: Shard; readonly head: number }>();
  return {
    async start(shard, low) {
      const name = shardName(shard);
      if (low !== undefined) await withRetry(options, shard, async () => options.catchUp?.(shard));
      const head = await withRetry(options, shard, () => options.store.head(shard));
      heads.delete(name);
      // Both ways: a shard that was unknown at an earlier assignment must not be begun from the middle after a loss.
      if (head === null) beginning.add(name);
      else {
        beginning.delete(name);
        heads.set(name, { shard, head });
      }
      return head;
    },
    async batch(batch) {
      const { shard } = batch;
      const name = shardName(shard);
      for (const part of split(batch, options.chunkRowsMax)) {
        const seek = await ingestPart(options, part, beginning.has(name));
        if (seek !== null) {
          if (seek === BEGINNING) beginning.add(name);
          return { seek };
        }
        beginning.delete(name);
        heads.set(name, { shard, head: part.next });
      }
      return { seek: null };
    },
    async fallenBehind() {
      // Taken before the store is asked: what is appended meanwhile is no loss.
      const known = [...heads.entries()];
      const now = new Map((await options.store.status()).map(({ shard, head }) => [shardName(shard), head]));
      return known.flatMap(([name, { shard, head }]) => ((now.get(name) ?? -1) < head ? [shard] : []));
    },
  };
}

/** Announces every ticket that is outstanding: mends a crash between append and announce. Harmless at any time. */
export async function announceOutstanding(options: Pick<IngestOptions, 'store' | 'queue'>): Promise<number> {
  const status = await options.store.status();
  const lost = status.filter((shard) => shard.ticket !== null);
  for (const { shard, ticket } of lost) if (ticket !== null) await options.queue.announce({ shard, number: ticket });
  return lost.length;
}

/** Parts of at most `rowsMax` records; the last one carries the batch's `next`. */
function* split(batch: SourceBatch, rowsMax: number): Generator<SourceBatch> {
  const { records } = batch;
  let from = batch.from;
  for (let at = 0; at < records.length || at === 0; at += rowsMax) {
    const last = at + rowsMax >= records.length;
    const part = records.slice(at, at + rowsMax);
    const next = last ? batch.next : records[at + rowsMax].offset;
    yield { shard: batch.shard, from, next, records: part };
    from = next;
  }
}

/** Offset to seek to, or null to go on. */
async function ingestPart(options: IngestOptions, batch: SourceBatch, begins: boolean): Promise<number | null> {
  const { shard } = batch;
  const stream = options.streams.get(shard.topic);
  if (!stream) throw new RangeError(`No stream reads topic '${shard.topic}'.`);
  // Step 1.
  const builder = builderFor(stream, batch.records.length);
  const letters = decodeRecords(stream, batch, builder);
  // Step 2.
  if (letters.length > 0) await withRetry(options, shard, () => options.deadLetters.write(letters));
  // Step 3.
  const chunk = builder.finish(batch.next);
  const entry = { from: batch.from, begins, next: batch.next, bytes: encodeChunk(chunk) };
  let waited = false;
  for (;;) {
    const result = await withRetry(options, shard, () => options.store.append(shard, entry));
    if (result.status === 'full') {
      if (!waited) options.onEvent({ type: 'back-pressure', shard, on: true });
      waited = true;
      await options.sleep(options.fullRetryMs, options.signal);
      options.signal.throwIfAborted();
      continue;
    }
    if (waited) options.onEvent({ type: 'back-pressure', shard, on: false });
    if (result.status === 'seek') {
      options.onEvent({ type: 'sought', shard, from: batch.from, to: result.head });
      return result.head ?? BEGINNING;
    }
    for (const letter of letters)
      options.onEvent({
        type: 'dead-lettered',
        shard,
        offset: letter.offset,
        field: letter.field,
        reason: letter.reason,
      });
    options.onEvent({ type: 'appended', shard, records: chunk.rows, bytes: entry.bytes.length });
    // Step 4.
    const { ticket } = result;
    if (ticket !== null) await withRetry(options, shard, () => options.queue.announce({ shard, number: ticket }));
    return null;
  }
}

function decodeRecords(stream: Stream, batch: SourceBatch, builder: ChunkBuilder): DeadLetter[] {
  const letters: DeadLetter[] = [];
  for (const record of batch.records) {
    try {
      readRecord(stream, record, builder);
    } catch (error) {
      if (!(error instanceof PoisonRecordError)) throw error;
      const { redaction } = stream;
      const { message, field } = error;
      letters.push({
        ...{ code: 'POISON_RECORD', shard: batch.shard, offset: record.offset, field },
        reason: redaction?.reason(message) ?? message,
        record: redaction?.record(record) ?? record,
      });
    }
  }
  return letters;
}

function withRetry<T>(options: IngestOptions, shard: Shard, work: () => Promise<T>): Promise<T> {
  return retryInPlace(work, {
    sleep: options.sleep,
    signal: options.signal,
    delayMsMax: RETRY_DELAY_MS_MAX,
    onRetry: (attempt, error) => options.onEvent({ type: 'retrying', shard, attempt, reason: error.message }),
  });
}
