/** What a sentence encoder makes of the turns of calls: prepared for a chunk's final utterances at once, read one by one while they are advanced. */
import type { Chunk } from '@tideline/pipeline';
import type { SentenceEncoder } from '../text/sentence-encoder.ts';
import { CALL_TEXTS } from './decode.ts';
import { isFinal } from './turns.ts';

export interface CallSentences {
  /** The chunk's rows from `first` on. */
  prepare(chunk: Chunk, first: number): Promise<void>;
  /** Values of the row's text, [size]. Throws RangeError where the row was not prepared: a defect of the caller. */
  of(chunk: Chunk, row: number): Float32Array;
}

/** Values are kept as long as their chunk is: whoever prepares it advances it next. */
export function createCallSentences(encoder: Pick<SentenceEncoder, 'encode'>): CallSentences {
  const prepared = new WeakMap<Chunk, ReadonlyMap<string, Float32Array>>();
  return {
    async prepare(chunk, first) {
      const texts = new Set<string>();
      for (let row = first; row < chunk.rows; row += 1)
        if (isFinal(chunk, row)) texts.add(chunk.texts[CALL_TEXTS.text][row]);
      const encoded = await encoder.encode([...texts]);
      prepared.set(chunk, new Map([...texts].map((text, i) => [text, encoded[i]])));
    },
    of(chunk, row) {
      const values = prepared.get(chunk)?.get(chunk.texts[CALL_TEXTS.text][row]);
      if (values === undefined)
        throw new RangeError(`Row ${row} of a chunk of calls was advanced before it was prepared.`);
      return values;
    },
  };
}
