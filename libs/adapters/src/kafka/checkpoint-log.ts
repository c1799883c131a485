/**
 * Checkpoints in a compacted Kafka topic. The log's two promises are Kafka's transactions:
 * - Visible at `commit` or never: readers read committed messages only, and the broker's cleaner never lets a message of an aborted or unfinished
 *   transaction replace an older one, so what compaction leaves is what was committed.
 * - `begin` ends those before it: a shard's writers have one transactional id, and initialising it fences every producer that had it.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Checkpoint,
  type CheckpointLog,
  type CheckpointMarker,
  type CheckpointWriter,
  ConfigError,
  RetryableError,
  type Shard,
  StaleEpochError,
  shardName,
} from '@tideline/pipeline';
import { type Admin, Partitioners, type Producer, type Transaction } from 'kafkajs';
import { markerMessage, readCheckpointMessage, settlingMessage, stateMessage } from './checkpoint-format.ts';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { translateKafkaError, withKafkaErrors } from './kafka-errors.ts';
import { readTopicToEnd } from './read-topic.ts';
import { whileSettling } from './settling.ts';
import { ensureTopics, readRanges, withAdmin } from './topics.ts';

/** Topic of the checkpoints. */
export const CHECKPOINT_TOPIC = 'tideline-checkpoints';
const PARTITIONS_DEFAULT = 16;
/** Bounds what one checkpoint may take, and how long a dead writer's unfinished one can hold up readers of its partition. */
const TRANSACTION_TIMEOUT_MS = 120_000;
/** Below the broker's bound of a message (1 MiB by default), with room for key and header. */
const STATE_BYTES_MAX = 900_000;
const FENCED =
  /PRODUCER_FENCED|INVALID_PRODUCER_EPOCH|INVALID_PRODUCER_ID_MAPPING|UNKNOWN_PRODUCER_ID|INVALID_TXN_STATE/;

export interface KafkaCheckpointOptions extends KafkaConnection {
  /** Default CHECKPOINT_TOPIC. Created, compacted, where it is missing. */
  readonly topic?: string;
  /** Partitions of a topic that has to be created. */
  readonly partitions?: number;
  readonly replicationFactor?: number;
  /** How long reading all of a partition may take. */
  readonly readDeadlineMs?: number;
}

const READ_DEADLINE_MS = 300_000;
/** `TOPIC` of the protocol's resource types. */
const TOPIC_RESOURCE = 2;
const VISIBLE_DEADLINE_MS = 10_000;
const VISIBLE_RETRY_MS = 20;
/** The broker ends a transaction that is too old, and looks for such every ten seconds. */
const SETTLE_DEADLINE_MS = TRANSACTION_TIMEOUT_MS + 30_000;

/** Throws RetryableError where Kafka does not answer, ConfigError where it refuses or the topic is not compacted. */
export async function createKafkaCheckpointLog(options: KafkaCheckpointOptions): Promise<CheckpointLog> {
  const { topic = CHECKPOINT_TOPIC, partitions = PARTITIONS_DEFAULT, replicationFactor = 1 } = options;
  const config = { 'cleanup.policy': 'compact' };
  await ensureTopics({ ...options, topics: [{ topic, partitions, replicationFactor, config }] });
  // Created just now, maybe by another process, it is not known to every part of a busy broker yet.
  const found = await withAdmin(options, (admin) => whileSettling(() => describe(admin, topic), { isNew: true }));
  // With deletion by age a state that nobody changes would be gone one day.
  if (found.policy !== 'compact')
    throw new ConfigError([`Topic '${topic}' has cleanup.policy '${found.policy}': checkpoints need 'compact'.`]);
  return new KafkaCheckpointLog({ ...options, topic }, found.partitions);
}

async function describe(
  admin: Admin,
  topic: string,
): Promise<{ readonly policy: string; readonly partitions: number }> {
  const configNames = ['cleanup.policy'];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: TOPIC_RESOURCE, name: topic, configNames }],
  });
  const entry = resources[0]?.configEntries.find(({ configName }) => configNames.includes(configName));
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return { policy: entry?.configValue ?? '', partitions: topics[0].partitions.length };
}

class KafkaCheckpointLog implements CheckpointLog {
  readonly #options: KafkaCheckpointOptions & { readonly topic: string };
  readonly #partitions: number;

  constructor(options: KafkaCheckpointOptions & { readonly topic: string }, partitions: number) {
    this.#options = options;
    this.#partitions = partitions;
  }

  async begin(shard: Shard): Promise<CheckpointWriter> {
    const { topic } = this.#options;
    const address = kafkaAddress(this.#options);
    const producer = this.#producer(shard);
    try {
      await producer.connect();
      // The first transaction fences, even if nothing is ever written in it.
      const first = await producer.transaction();
      const partition = this.#partitionOf(shard);
      const visibleEnd = (): Promise<number> => this.#visibleEnd(partition);
      return new KafkaCheckpointWriter({ producer, first, topic, shard, address, partition, visibleEnd });
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw writerError(error, shard, address);
    }
  }

  async read(
    shards: readonly Shard[],
    options: { readonly takeOver: boolean; readonly settled: boolean },
  ): Promise<ReadonlyMap<string, Checkpoint>> {
    const { topic, readDeadlineMs = READ_DEADLINE_MS } = this.#options;
    if (options.takeOver) await this.#takeOver(shards);
    const wanted = new Map(shards.map((shard) => [shardName(shard), new Map<string, Uint8Array>()]));
    const markers = new Map<string, CheckpointMarker>();
    const partitions = [...new Set(shards.map((shard) => this.#partitionOf(shard)))];
    if (options.settled) await this.#settle(partitions);
    await readTopicToEnd({
      ...this.#options,
      ...{ topic, partitions, deadlineMs: readDeadlineMs },
      onMessage: (message) => {
        const read = readCheckpointMessage(message);
        const states = read === null ? undefined : wanted.get(shardName(read.shard));
        if (read === null || states === undefined) return;
        if (read.kind === 'marker') {
          if (read.marker === null) markers.delete(shardName(read.shard));
          else markers.set(shardName(read.shard), read.marker);
        } else if (read.bytes === null) states.delete(read.key);
        else states.set(read.key, read.bytes);
      },
    });
    return new Map([...markers].map(([name, marker]) => [name, { marker, states: wanted.get(name) ?? new Map() }]));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Ends the writers of the shards. */
  async #takeOver(shards: readonly Shard[]): Promise<void> {
    for (const shard of shards) {
      const writer = await this.begin(shard);
      await writer.close();
    }
  }

  /**
   * An unfinished transaction of any shard hides what was committed after it in the same partition. Once a message of our own can be seen, everything
   * before it can, or is gone.
   */
  async #settle(partitions: readonly number[]): Promise<void> {
    const { topic } = this.#options;
    const producer = createKafkaClient(this.#options, 'patient').producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    });
    await withKafkaErrors(kafkaAddress(this.#options), async () => {
      try {
        await producer.connect();
        const messages = partitions.map((partition) => ({ ...settlingMessage(), partition }));
        const written = await producer.send({ topic, acks: -1, messages });
        for (const { partition, baseOffset } of written) {
          const seen = () => this.#visibleEnd(partition);
          if (!(await endPasses(seen, Number(baseOffset), SETTLE_DEADLINE_MS)))
            throw new RetryableError(
              `An unfinished transaction hides checkpoints in partition ${partition} of '${topic}'.`,
            );
        }
      } finally {
        await producer.disconnect().catch(() => undefined);
      }
    });
  }

  /** Offset up to which readers see the partition (its last stable offset). */
  #visibleEnd(partition: number): Promise<number> {
    return withAdmin(this.#options, async (admin) => {
      const ranges = await readRanges(admin, this.#options.topic);
      return ranges.find((range) => range.partition === partition)?.high ?? 0;
    });
  }

  /** All of a shard lies in one partition, so that its messages keep their order. */
  #partitionOf(shard: Shard): number {
    return createHash('sha256').update(shardName(shard)).digest().readUInt32LE(0) % this.#partitions;
  }

  #producer(shard: Shard): Producer {
    return createKafkaClient(this.#options, 'patient').producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionalId: `${this.#options.topic}-${shardName(shard)}`,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
    });
  }
}

interface WriterParts {
  readonly producer: Producer;
  readonly first: Transaction;
  readonly topic: string;
  readonly partition: number;
  readonly shard: Shard;
  readonly address: string;
  /** Offset up to which readers see the partition (its last stable offset). */
  readonly visibleEnd: () => Promise<number>;
}

class KafkaCheckpointWriter implements CheckpointWriter {
  readonly #parts: WriterParts;
  #transaction: Transaction | null;
  /** Of the newest message. */
  #lastOffset = -1;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#transaction = parts.first;
  }

  write(changes: CheckpointChanges): Promise<void> {
    const { shard } = this.#parts;
    const large = changes.find(({ bytes }) => bytes !== null && bytes.length > STATE_BYTES_MAX);
    if (large)
      throw new ConfigError([
        `The state of '${large.key}' has ${large.bytes?.length} bytes, at most ${STATE_BYTES_MAX} fit.`,
      ]);
    return this.#send(changes.map((change) => stateMessage(shard, change)));
  }

  async commit(marker: CheckpointMarker): Promise<void> {
    await this.#send([markerMessage(marker)]);
    await this.#ask(async () => {
      await this.#transaction?.commit();
      this.#transaction = null;
    });
    // The broker answers a commit before it has marked the partition: a reader who comes at once would see nothing new. Committed it is in any case.
    await endPasses(this.#parts.visibleEnd, this.#lastOffset, VISIBLE_DEADLINE_MS);
  }

  async close(): Promise<void> {
    await this.#transaction?.abort().catch(() => undefined);
    this.#transaction = null;
    await this.#parts.producer.disconnect().catch(() => undefined);
  }

  async #send(messages: readonly ReturnType<typeof stateMessage>[]): Promise<void> {
    const { producer, topic, partition } = this.#parts;
    if (messages.length === 0) return;
    await this.#ask(async () => {
      this.#transaction ??= await producer.transaction();
      const batch = { topic, acks: -1, messages: messages.map((one) => ({ ...one, partition })) };
      const [written] = await this.#transaction.send(batch);
      this.#lastOffset = Number(written?.baseOffset ?? -1) + messages.length - 1;
    });
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw writerError(error, this.#parts.shard, this.#parts.address);
    }
  }
}

/** False where readers do not see the message at `offset` within the time. */
async function endPasses(visibleEnd: () => Promise<number>, offset: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const end = await visibleEnd().catch(() => 0);
    if (end > offset) return true;
    if (Date.now() > deadline) return false;
    await sleep(VISIBLE_RETRY_MS);
  }
}

type CheckpointChanges = Parameters<CheckpointWriter['write']>[0];

function writerError(error: unknown, shard: Shard, address: string): Error {
  const chain: unknown[] = [];
  for (let cause = error; cause instanceof Error && chain.length < 10; cause = cause.cause) chain.push(cause);
  const fenced = chain.some((cause) => FENCED.test(String((cause as { readonly type?: string }).type ?? '')));
  if (fenced) return new StaleEpochError(`Another writer of checkpoints of shard ${shardName(shard)} began.`);
  return translateKafkaError(error, address);
}
