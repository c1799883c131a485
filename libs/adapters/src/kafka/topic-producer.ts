import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError } from '@tideline/pipeline';
import { type IHeaders, Partitioners } from 'kafkajs';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { withKafkaErrors } from './kafka-errors.ts';
import { kafkaHeaders } from './kafka-record.ts';
import { assertTopics, withAdmin } from './topics.ts';

const RETRY_FOR_MS = 60_000;
const RETRY_AFTER_MS = 500;

type HeaderValue = string | Uint8Array;

/** A record to produce. */
export interface OutgoingRecord {
  /** Series id; decides the partition (murmur2, as Java's client does), so one series keeps its order. */
  readonly key: string | Uint8Array | null;
  readonly value: string | Uint8Array | null;
  readonly timestampMs?: number;
  /** A name's value, or its values in their order. */
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>;
  /** Overrules the key's partition. */
  readonly partition?: number;
}

export interface TopicProducer extends AsyncDisposable {
  /**
   * Resolves when all in-sync replicas have the records. Kafka being away is waited for, RETRY_FOR_MS at most, then RetryableError is thrown.
   * The next batch must not be sent before: a retry never writes a record twice (idempotent producer), but only the last batch is tried again.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
}

/** Connects a producer of one topic. Throws RetryableError where Kafka does not answer, ConfigError where it refuses or the topic is missing. */
export async function createTopicProducer(
  options: KafkaConnection & { readonly topic: string },
): Promise<TopicProducer> {
  const address = kafkaAddress(options);
  const { topic } = options;
  // An impatient look first: a wrong address is told within seconds, a broker's restart later on is outlived.
  await withAdmin(options, (admin) => assertTopics(admin, [topic], address));
  const producer = createKafkaClient(options, 'patient').producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await withKafkaErrors(address, () => producer.connect());
  return {
    async send(records) {
      if (records.length === 0) return;
      const messages = records.map(outgoing);
      await persist(() => withKafkaErrors(address, () => producer.send({ topic, messages, acks: -1 })));
    },
    [Symbol.asyncDispose]: () => producer.disconnect().catch(() => undefined),
  };
}

/** kafkajs gives up at once where a connection is refused in the middle of a send. */
async function persist(work: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + RETRY_FOR_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof RetryableError) || Date.now() > deadline) throw error;
      await sleep(RETRY_AFTER_MS);
    }
  }
}

export interface ProduceOptions {
  readonly producer: TopicProducer;
  readonly records: Iterable<OutgoingRecord> | AsyncIterable<OutgoingRecord>;
  readonly batchRecordsMax?: number;
  /** Bytes of keys and values that make a batch full; brokers take about 1 MiB by default. */
  readonly batchBytesMax?: number;
  readonly signal?: AbortSignal;
  /** Called after each batch with the count of all records so far. */
  readonly onProgress?: (records: number) => void;
}

const BATCH_RECORDS_MAX = 2_000;
const BATCH_BYTES_MAX = 500_000;

/** Produces all records in order, batch after batch; the feed is read no faster than Kafka accepts. Resolves with their count. */
export async function produceRecords(options: ProduceOptions): Promise<number> {
  const { producer, batchRecordsMax = BATCH_RECORDS_MAX, batchBytesMax = BATCH_BYTES_MAX } = options;
  let batch: OutgoingRecord[] = [];
  let bytes = 0;
  let total = 0;
  const flush = async (): Promise<void> => {
    await producer.send(batch);
    total += batch.length;
    batch = [];
    bytes = 0;
    options.onProgress?.(total);
  };
  for await (const record of options.records) {
    options.signal?.throwIfAborted();
    batch.push(record);
    bytes += (record.value?.length ?? 0) + (record.key?.length ?? 0);
    if (batch.length >= batchRecordsMax || bytes >= batchBytesMax) await flush();
  }
  if (batch.length > 0) await flush();
  return total;
}

function outgoing(record: OutgoingRecord) {
  const { key, value, timestampMs, headers, partition } = record;
  return {
    key: buffered(key),
    value: buffered(value),
    ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
    ...(headers === undefined ? {} : { headers: outgoingHeaders(headers) }),
    ...(partition === undefined ? {} : { partition }),
  };
}

function outgoingHeaders(headers: NonNullable<OutgoingRecord['headers']>): IHeaders {
  const listed = ([name, value]: [string, HeaderValue | readonly HeaderValue[]]): [string, Uint8Array[]] => [
    name,
    (isList(value) ? value : [value]).map((one) => (typeof one === 'string' ? Buffer.from(one) : one)),
  ];
  return kafkaHeaders(Object.fromEntries(Object.entries(headers).map(listed)));
}

function isList(value: HeaderValue | readonly HeaderValue[]): value is readonly HeaderValue[] {
  return Array.isArray(value);
}

function buffered(bytes: string | Uint8Array | null): string | Buffer | null {
  return bytes === null || typeof bytes === 'string' ? bytes : Buffer.from(bytes);
}
