import { type DeadLetter, type DeadLetterSink, shardName } from '@tideline/pipeline';

/** A DeadLetterSink that can be looked into. */
export interface MemoryDeadLetterSink extends DeadLetterSink {
  /** One letter a position, in the order of first writes. */
  letters(): DeadLetter[];
}

/** Keeps dead letters in memory. Unbounded: for tests and runs that end. */
export function createMemoryDeadLetterSink(): MemoryDeadLetterSink {
  const letters = new Map<string, DeadLetter>();
  return {
    async write(batch) {
      for (const letter of batch) letters.set(`${shardName(letter.shard)}@${letter.offset}`, letter);
    },
    letters: () => [...letters.values()],
    async [Symbol.asyncDispose]() {},
  };
}
