import type { Lines, PointSink } from '@tideline/pipeline';
import { Partitioners } from 'kafkajs';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { withKafkaErrors } from './kafka-errors.ts';
import { ensureTopics } from './topics.ts';

export interface PointTopicOptions extends KafkaConnection {
  /** Created with one partition where it is missing. */
  readonly topic: string;
  /** Where every point goes. Closed by its owner. */
  readonly sink: PointSink;
  /** What a line is in the topic; null: nothing. The same line gives the same message. */
  readonly messageOf: (line: string) => { readonly key: string; readonly value: string } | null;
}

const MESSAGES_A_REQUEST_MAX = 500;

/**
 * A sink whose points are also told in a Kafka topic, at least once: what is written again is sent again, with the same key. Throws RetryableError where Kafka
 * does not answer, ConfigError where it refuses.
 */
export async function createPointTopicSink(options: PointTopicOptions): Promise<PointSink> {
  const { topic, sink, messageOf } = options;
  const address = kafkaAddress(options);
  await ensureTopics({ ...options, topics: [{ topic, partitions: 1 }] });
  const producer = createKafkaClient(options, 'patient').producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await withKafkaErrors(address, () => producer.connect());
  const tell = async (lines: Lines): Promise<void> => {
    const messages = [...lines].flatMap((line) => messageOf(line) ?? []);
    for (let at = 0; at < messages.length; at += MESSAGES_A_REQUEST_MAX) {
      const part = messages.slice(at, at + MESSAGES_A_REQUEST_MAX);
      await withKafkaErrors(address, () => producer.send({ topic, acks: -1, messages: part }));
    }
  };
  return {
    async write(lines) {
      // Side by side: what is told need not wait for what is stored. Both are waited for, so that no write is under way when the caller repeats it.
      const results = await Promise.allSettled([sink.write(lines), tell(lines)]);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
    [Symbol.asyncDispose]: () => producer.disconnect().catch(() => undefined),
  };
}
