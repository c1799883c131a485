import { type KeptLetter, readLetter, readRedriven } from './dead-letter-format.ts';
import { DEAD_LETTER_TOPIC } from './dead-letter-sink.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { readTopicToEnd } from './read-topic.ts';

export interface ReadDeadLettersOptions extends KafkaConnection {
  readonly topic?: string;
  readonly deadlineMs?: number;
}

/** All letters that the topic holds now, one a position, oldest first; empty where the topic does not exist. */
export async function readDeadLetters(options: ReadDeadLettersOptions): Promise<KeptLetter[]> {
  const letters = new Map<string, KeptLetter>();
  const marks = new Map<string, KeptLetter['redriven']>();
  await readTopicToEnd({
    topic: DEAD_LETTER_TOPIC,
    ...options,
    onMessage: (message) => {
      const mark = readRedriven(message);
      if (mark !== null) {
        marks.set(mark.key, mark.redriven);
        return;
      }
      const key = message.key?.toString('utf8') ?? '';
      const letter = readLetter(message);
      // The newest write of a position counts; a message without a value deletes it.
      letters.delete(key);
      if (letter !== null) letters.set(key, { ...letter, redriven: null });
    },
  });
  return [...letters].map(([key, letter]) => ({ ...letter, redriven: marks.get(key) ?? null }));
}
