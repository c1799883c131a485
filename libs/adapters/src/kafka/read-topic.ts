import { randomBytes } from 'node:crypto';
import { RetryableError } from '@tideline/pipeline';
import type { KafkaMessage } from 'kafkajs';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { withKafkaErrors } from './kafka-errors.ts';
import { readRanges, withAdmin } from './topics.ts';

export interface ReadTopicOptions extends KafkaConnection {
  readonly topic: string;
  /** Partitions to read; default: all. */
  readonly partitions?: readonly number[];
  readonly deadlineMs?: number;
  /** Gets every committed message once, in the order of its partition. Must not throw. */
  readonly onMessage: (message: KafkaMessage, partition: number) => void;
}

const DEADLINE_MS = 30_000;

/**
 * Reads what a topic holds at the time of the call, from its beginning to its end, with a throw-away group. False where the topic does not exist.
 * Throws RetryableError where Kafka does not answer or the end is not reached in time, ConfigError where it refuses.
 */
export async function readTopicToEnd(options: ReadTopicOptions): Promise<boolean> {
  const { topic, partitions } = options;
  const ranges = await withAdmin(options, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return null;
    return readRanges(admin, topic);
  });
  if (ranges === null) return false;
  const wanted = ranges.filter(
    ({ partition, low, high }) => high > low && (partitions === undefined || partitions.includes(partition)),
  );
  if (wanted.length > 0) await readUntil(options, new Map(wanted.map(({ partition, high }) => [partition, high])));
  return true;
}

/** Reads until every partition of `remaining` has reached its end. */
async function readUntil(options: ReadTopicOptions, remaining: Map<number, number>): Promise<void> {
  const { topic, deadlineMs = DEADLINE_MS, onMessage } = options;
  const address = kafkaAddress(options);
  const seen = new Map<number, number>();
  const groupId = `tideline-reader-${randomBytes(6).toString('hex')}`;
  const consumer = createKafkaClient(options, 'quick').consumer({ groupId, maxWaitTimeInMs: 100 });
  await withKafkaErrors(address, async () => {
    let timer: NodeJS.Timeout | undefined;
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => {
          reject(new RetryableError(`Topic '${topic}' at Kafka ${address} could not be read within ${deadlineMs} ms.`));
        }, deadlineMs);
        const passed = (partition: number, lastOffset: string): void => {
          const end = remaining.get(partition);
          if (end !== undefined && Number(lastOffset) + 1 >= end) remaining.delete(partition);
          if (remaining.size === 0) resolve();
        };
        // A coordinator that is still loading (a broker that has just started) is no reason to give up: kafkajs starts again.
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          if (!payload.restart) reject(payload.error);
        });
        // Control records of transactions stand at the end too, and a batch of nothing else never reaches the handler.
        consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => passed(payload.partition, payload.lastOffset));
        const eachBatch = async ({ batch }: { batch: Delivered }): Promise<void> => {
          if (!remaining.has(batch.partition)) return;
          for (const message of batch.messages) {
            // A consumer that was started again begins at the beginning; an older message must not follow a newer one.
            if (Number(message.offset) < (seen.get(batch.partition) ?? 0)) continue;
            seen.set(batch.partition, Number(message.offset) + 1);
            onMessage(message, batch.partition);
          }
          passed(batch.partition, batch.lastOffset());
        };
        consumer.run({ autoCommit: false, eachBatch }).catch(reject);
      });
    } finally {
      clearTimeout(timer);
      await consumer.disconnect().catch(() => undefined);
    }
  });
  await withAdmin(options, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
}

interface Delivered {
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
  lastOffset(): string;
}
