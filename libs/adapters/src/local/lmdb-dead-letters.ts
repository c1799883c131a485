import type { DeadLetter, DeadLetterSink } from '@tideline/pipeline';
import { lmdbWrite, openLmdb } from './lmdb-open.ts';

/** A DeadLetterSink that can be read back. */
export interface LmdbDeadLetterSink extends DeadLetterSink {
  /** Letters by topic, partition and offset. */
  list(): IterableIterator<DeadLetter>;
  readonly count: number;
}

/** Position of a letter: `[topic, partition, offset]` sorts in that order. */
type LetterKey = [topic: string, partition: number, offset: number];

/** Keeps dead letters in a folder of this machine (its own, or the one of the shard store). Throws ConfigError where the folder cannot be used. */
export function createLmdbDeadLetterSink(options: { readonly folder: string }): LmdbDeadLetterSink {
  const { folder } = options;
  const root = openLmdb(folder);
  const letters = root.openDB<DeadLetter, LetterKey>('dead-letters', { encoding: 'msgpack' });
  return {
    async write(batch) {
      if (batch.length === 0) return;
      await lmdbWrite(root, folder, () => {
        for (const letter of batch)
          letters.putSync([letter.shard.topic, letter.shard.partition, letter.offset], letter);
      });
    },
    *list() {
      // Letters of before there were codes have none.
      for (const { value } of letters.getRange()) yield { ...value, code: value.code ?? 'POISON_RECORD' };
    },
    get count() {
      return letters.getKeysCount();
    },
    async [Symbol.asyncDispose]() {
      await root.close();
    },
  };
}
