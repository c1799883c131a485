import { randomBytes } from 'node:crypto';
import { type DeadLetter, RetryableError } from '@tideline/pipeline';
import type { KafkaMessage } from 'kafkajs';
import { readLetter } from './dead-letter-format.ts';
import { DEAD_LETTER_TOPIC } from './dead-letter-sink.ts';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { withKafkaErrors } from './kafka-errors.ts';
import { readRanges, withAdmin } from './topics.ts';

export interface ReadDeadLettersOptions extends KafkaConnection {
  readonly topic?: string;
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 30_000;

/** All letters that the topic holds now, one a position, oldest first; empty where the topic does not exist. */
export async function readDeadLetters(options: ReadDeadLettersOptions): Promise<DeadLetter[]> {
  const { topic = DEAD_LETTER_TOPIC } = options;
  const ends = await withAdmin(options, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return [];
    return (await readRanges(admin, topic)).filter(({ low, high }) => high > low);
  });
  const letters = new Map<string, DeadLetter>();
  if (ends.length === 0) return [];
  const remaining = new Map(ends.map(({ partition, high }) => [partition, high]));
  await readUntil({ ...options, topic }, remaining, (message) => {
    const key = message.key?.toString('utf8') ?? '';
    const letter = readLetter(message);
    // The newest write of a position counts; a message without a value deletes it.
    letters.delete(key);
    if (letter !== null) letters.set(key, letter);
  });
  return [...letters.values()];
}

/** Reads from the beginning until every partition of `remaining` has reached its end. The group is a throw-away one. */
async function readUntil(
  options: ReadDeadLettersOptions & { readonly topic: string },
  remaining: Map<number, number>,
  onMessage: (message: KafkaMessage) => void,
): Promise<void> {
  const { topic, deadlineMs = DEADLINE_MS } = options;
  const address = kafkaAddress(options);
  const groupId = `tideline-reader-${randomBytes(6).toString('hex')}`;
  const kafka = createKafkaClient(options, 'quick');
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await withKafkaErrors(address, async () => {
    let timer: NodeJS.Timeout | undefined;
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => {
          reject(new RetryableError(`Topic '${topic}' at Kafka ${address} could not be read within ${deadlineMs} ms.`));
        }, deadlineMs);
        // A coordinator that is still loading (a broker that has just started) is no reason to give up: kafkajs starts again.
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          if (!payload.restart) reject(payload.error);
        });
        const eachBatch = async ({
          batch,
        }: {
          batch: { partition: number; messages: KafkaMessage[]; lastOffset(): string };
        }) => {
          batch.messages.forEach(onMessage);
          const end = remaining.get(batch.partition);
          if (end !== undefined && Number(batch.lastOffset()) + 1 >= end) remaining.delete(batch.partition);
          if (remaining.size === 0) resolve();
        };
        consumer.run({ autoCommit: false, eachBatch }).catch(reject);
      });
    } finally {
      clearTimeout(timer);
      await consumer.disconnect().catch(() => undefined);
    }
    await withAdmin(options, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  });
}
