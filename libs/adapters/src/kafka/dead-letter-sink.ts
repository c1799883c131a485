import type { DeadLetter, DeadLetterSink } from '@tideline/pipeline';
import { type Message, Partitioners } from 'kafkajs';
import { letterKey, letterMessage } from './dead-letter-format.ts';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { withKafkaErrors } from './kafka-errors.ts';
import { ensureTopics } from './topics.ts';

/** Topic of the refused records. */
export const DEAD_LETTER_TOPIC = 'tideline.dead-letters';
const LETTERS_A_REQUEST_MAX = 200;

export interface KafkaDeadLetterOptions extends KafkaConnection {
  /** Default DEAD_LETTER_TOPIC. Created, compacted, where it is missing. */
  readonly topic?: string;
  readonly replicationFactor?: number;
}

export interface KafkaDeadLetterSink extends DeadLetterSink {
  /** Deletes letters (after a redrive). */
  forget(letters: readonly Pick<DeadLetter, 'shard' | 'offset'>[]): Promise<void>;
}

/** Keeps dead letters in a compacted topic. Throws RetryableError where Kafka does not answer, ConfigError where it refuses. */
export async function createKafkaDeadLetterSink(options: KafkaDeadLetterOptions): Promise<KafkaDeadLetterSink> {
  const address = kafkaAddress(options);
  const { topic = DEAD_LETTER_TOPIC, replicationFactor = 1 } = options;
  const config = { 'cleanup.policy': 'compact' };
  await ensureTopics({ ...options, topics: [{ topic, partitions: 1, replicationFactor, config }] });
  const producer = createKafkaClient(options, 'patient').producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  await withKafkaErrors(address, () => producer.connect());
  const send = (messages: Message[]) =>
    withKafkaErrors(address, async () => {
      // In parts: a batch of nothing but poison may be larger than the broker takes at once.
      for (let at = 0; at < messages.length; at += LETTERS_A_REQUEST_MAX)
        await producer.send({ topic, acks: -1, messages: messages.slice(at, at + LETTERS_A_REQUEST_MAX) });
    });
  return {
    write: (letters) => send(letters.map(letterMessage)),
    forget: (letters) => send(letters.map((letter) => ({ key: letterKey(letter), value: null }))),
    [Symbol.asyncDispose]: () => producer.disconnect().catch(() => undefined),
  };
}
