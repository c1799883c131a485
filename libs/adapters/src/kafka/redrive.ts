/**
 * Redrive: the records of dead letters are produced again, as new records, byte for byte.
 *
 *   Step 1. Begin a transaction. Its name is the dead letter topic's, so a redrive that another operator has under way is fenced from here on.
 *   Step 2. Read the letters; what the other one committed shows as redriven.
 *   Step 3. In the order of positions, produce the records and then the marks "redriven", in one transaction a part: both or neither, however it ends.
 * One producer with one request under way: a retry never reorders. A record goes to the partition that it came from, so a series keeps its order and its
 * shard; to another topic (`topicOf`) it goes by its key.
 */
import { APPLY_LATE_HEADER, ConfigError } from '@tideline/pipeline';
import { type Message, Partitioners, type Transaction } from 'kafkajs';
import { type KeptLetter, letterKey, redrivenMessage } from './dead-letter-format.ts';
import { DEAD_LETTER_TOPIC } from './dead-letter-sink.ts';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { withKafkaErrors } from './kafka-errors.ts';
import { kafkaHeaders } from './kafka-record.ts';
import { readDeadLetters } from './read-dead-letters.ts';
import { assertTopics, readRanges, withAdmin } from './topics.ts';

/** Header of a redriven record: `topic/partition/offset` of the refused one. */
export const REDRIVEN_FROM_HEADER = 'tideline-redriven-from';

const LETTERS_A_TRANSACTION_MAX = 200;
/** Reading the letters is part of it. */
const TRANSACTION_TIMEOUT_MS = 120_000;

export interface RedriveOptions extends KafkaConnection {
  /** Dead letter topic; default DEAD_LETTER_TOPIC. */
  readonly topic?: string;
  /** Chooses among the letters. Throws to call the redrive off; nothing has been written then. */
  readonly select: (letters: readonly KeptLetter[]) => readonly KeptLetter[];
  /** Topic that the records of a topic go to; default: the same. */
  readonly topicOf?: (topic: string) => string;
  /** Late records are marked with APPLY_LATE_HEADER, so that the stream steps them this time. */
  readonly applyLate?: boolean;
  readonly atMs: number;
  /** Called after each committed part with the count so far. */
  readonly onProgress?: (letters: number) => void;
}

/** Redrives the selected letters; resolves with them in the order of sending. Throws RetryableError or ConfigError: parts that were reported stay. */
export async function redriveDeadLetters(options: RedriveOptions): Promise<KeptLetter[]> {
  const { topic = DEAD_LETTER_TOPIC, topicOf = (name: string) => name, applyLate = false } = options;
  const address = kafkaAddress(options);
  const producer = createKafkaClient(options, 'patient').producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionalId: `tideline-redrive-${topic}`,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
  });
  return withKafkaErrors(address, async () => {
    let open: Transaction | null = null;
    try {
      // An impatient look first, so that a wrong address is told within seconds.
      await withAdmin(options, async () => undefined);
      await producer.connect();
      // Step 1.
      open = await producer.transaction();
      // Step 2.
      const letters = [...options.select(await readDeadLetters({ ...options, topic }))].sort(byPosition);
      await assertTargets(options, letters, topicOf);
      // Step 3.
      for (let at = 0; at < letters.length; at += LETTERS_A_TRANSACTION_MAX) {
        open ??= await producer.transaction();
        const part = letters.slice(at, at + LETTERS_A_TRANSACTION_MAX);
        await sendPart({ transaction: open, part, topicOf, topic, applyLate, atMs: options.atMs });
        await open.commit();
        open = null;
        options.onProgress?.(at + part.length);
      }
      return letters;
    } finally {
      await open?.abort().catch(() => undefined);
      await producer.disconnect().catch(() => undefined);
    }
  });
}

async function sendPart(work: {
  readonly transaction: Transaction;
  readonly part: readonly KeptLetter[];
  readonly topicOf: (topic: string) => string;
  readonly topic: string;
  readonly applyLate: boolean;
  readonly atMs: number;
}): Promise<void> {
  const { transaction, part, topicOf, topic, applyLate, atMs } = work;
  for (const from of new Set(part.map(({ shard }) => shard.topic))) {
    const to = topicOf(from);
    const own = part.filter(({ shard }) => shard.topic === from);
    const messages = own.map((letter) => message(letter, { samePartition: to === from, applyLate }));
    await transaction.send({ topic: to, acks: -1, messages });
  }
  const marks = part.map((letter) => redrivenMessage(letter, { topic: topicOf(letter.shard.topic), atMs }));
  await transaction.send({ topic, acks: -1, messages: marks });
}

function message(
  letter: KeptLetter,
  { samePartition, applyLate }: { readonly samePartition: boolean; readonly applyLate: boolean },
): Message {
  const { record, shard } = letter;
  return {
    key: record.key === null ? null : Buffer.from(record.key),
    value: record.value === null ? null : Buffer.from(record.value),
    headers: {
      ...kafkaHeaders(record.headers),
      [REDRIVEN_FROM_HEADER]: letterKey(letter),
      ...(applyLate && letter.code === 'LATE_RECORD' ? { [APPLY_LATE_HEADER]: '1' } : {}),
    },
    ...(samePartition ? { partition: shard.partition } : {}),
  };
}

/** Throws ConfigError where a target topic is missing or has lost the partition that a record came from. */
async function assertTargets(
  connection: KafkaConnection,
  letters: readonly KeptLetter[],
  topicOf: (topic: string) => string,
): Promise<void> {
  const shards = letters.map(({ shard }) => shard);
  await withAdmin(connection, async (admin) => {
    await assertTopics(admin, [...new Set(shards.map(({ topic }) => topicOf(topic)))], kafkaAddress(connection));
    for (const topic of new Set(shards.map((shard) => shard.topic))) {
      if (topicOf(topic) !== topic) continue;
      const partitions = (await readRanges(admin, topic)).map(({ partition }) => partition);
      const gone = shards.find((shard) => shard.topic === topic && !partitions.includes(shard.partition));
      if (gone !== undefined)
        throw new ConfigError([
          `Topic '${topic}' has no partition ${gone.partition} any more: map it to another topic.`,
        ]);
    }
  });
}

function byPosition(a: KeptLetter, b: KeptLetter): number {
  const topics = a.shard.topic < b.shard.topic ? -1 : a.shard.topic > b.shard.topic ? 1 : 0;
  return topics || a.shard.partition - b.shard.partition || a.offset - b.offset;
}
