/**
 * Records as they cross the border, and the columnar chunk that they become.
 *
 * A record's identity is its position (topic, partition, offset): everything that is derived from it
 * (its point's time, its dead letter's key) is a pure function of the record, so a replay overwrites and never adds.
 */

/** A shard is a Kafka topic-partition: one ordering, one scalar offset, one writer. */
export interface Shard {
  readonly topic: string;
  readonly partition: number;
}

/** `ticks-3`. Legal as a BullMQ job id (no `:`, not an integer). */
export function shardName(shard: Shard): string {
  return `${shard.topic}-${shard.partition}`;
}

/** Values of each header's name as bytes, in their order; null where a header has no value. */
export type RecordHeaders = Readonly<Record<string, readonly (Uint8Array | null)[]>>;

/** One message as a source delivers it. */
export interface RawRecord {
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Broker or append time, epoch ms. Never decides anything: event time does. */
  readonly timestampMs: number;
  readonly headers: RecordHeaders;
}

/** Consecutive messages of one shard. `next` is the offset to read after them (it can exceed the last offset + 1: compaction). */
export interface SourceBatch {
  readonly shard: Shard;
  /** Offset that this batch was read from: the `next` of the batch before it. */
  readonly from: number;
  readonly next: number;
  readonly records: readonly RawRecord[];
}

/** Header of a record that is to be stepped even where it is late or repeated (`tideline dlq redrive --apply-late`). */
export const APPLY_LATE_HEADER = 'tideline-apply-late';

/** Unit that an event time was given in; it bounds the tie-breaker that keeps records of one instant apart. */
export type TimeUnit = 'ms' | 'us' | 'ns';

/** Event time, split so that no digit is lost: epoch ms plus 0..999,999 ns. */
export interface EventTime {
  readonly ms: number;
  readonly subNs: number;
  readonly unit: TimeUnit;
}

/**
 * `POISON_RECORD`: it cannot be read. `LATE_RECORD`: late or repeated, where its stream refuses such records. `UNDELIVERED_RECORD`: an alert that the
 * webhook's receiver did not take.
 */
export const DEAD_LETTER_CODES = ['POISON_RECORD', 'LATE_RECORD', 'UNDELIVERED_RECORD'] as const;
export type DeadLetterCode = (typeof DEAD_LETTER_CODES)[number];

/** Where and why a record was refused. */
export interface DeadLetter {
  readonly code: DeadLetterCode;
  readonly shard: Shard;
  readonly offset: number;
  readonly reason: string;
  readonly field: string;
  readonly record: RawRecord;
}
