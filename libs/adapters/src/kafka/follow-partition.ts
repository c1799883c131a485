import { randomBytes } from 'node:crypto';
import type { RawRecord, Shard } from '@tideline/pipeline';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { translateKafkaError, withKafkaErrors } from './kafka-errors.ts';
import { rawRecord } from './kafka-record.ts';
import { assertTopics, withAdmin } from './topics.ts';

export interface FollowOptions extends KafkaConnection {
  readonly shard: Shard;
  /** Gets the records in order, each once; `next` is the offset after them. The next ones come when it has resolved. */
  readonly onRecords: (records: readonly RawRecord[], next: number) => Promise<void>;
  /** It cannot go on: `onRecords` threw, or Kafka refused for good. */
  readonly onError: (error: Error) => void;
}

/** Reads one partition from the beginning of retention, and goes on as records come. Disposing ends it. Throws RetryableError or ConfigError. */
export async function followPartition(options: FollowOptions): Promise<AsyncDisposable> {
  const { shard, onRecords, onError } = options;
  const address = kafkaAddress(options);
  const groupId = `tideline-follower-${randomBytes(6).toString('hex')}`;
  await withAdmin(options, (admin) => assertTopics(admin, [shard.topic], address));
  const consumer = createKafkaClient(options, 'patient').consumer({ groupId, maxWaitTimeInMs: 50 });
  let read = 0;
  let failed = false;
  const fail = (error: unknown): void => {
    if (!failed) onError(translateKafkaError(error, address));
    failed = true;
  };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const others = (payload.memberAssignment[shard.topic] ?? []).filter((partition) => partition !== shard.partition);
    consumer.pause([{ topic: shard.topic, partitions: others }]);
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) fail(payload.error);
  });
  // A batch of nothing but control records of transactions moves the end and never reaches the handler.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    const next = Number(payload.lastOffset) + 1;
    if (failed || payload.batchSize > 0 || payload.partition !== shard.partition || next <= read) return;
    read = next;
    onRecords([], next).catch(fail);
  });
  await withKafkaErrors(address, async () => {
    await consumer.connect();
    await consumer.subscribe({ topics: [shard.topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        if (failed || batch.partition !== shard.partition) return;
        const next = Number(batch.lastOffset()) + 1;
        // A consumer that was started again begins at the beginning.
        const records = batch.messages.filter(({ offset }) => Number(offset) >= read).map(rawRecord);
        try {
          if (next > read) await onRecords(records, next);
        } catch (error) {
          fail(error);
        }
        read = Math.max(read, next);
      },
    });
  });
  return {
    async [Symbol.asyncDispose]() {
      failed = true;
      await consumer.disconnect().catch(() => undefined);
      await withAdmin(options, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
    },
  };
}
