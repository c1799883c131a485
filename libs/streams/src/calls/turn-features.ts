import type { Embedding } from '@tideline/nn';
import { createTextFeatures } from '../text/text-features.ts';
import type { WordEncoder } from '../text/word-encoder.ts';
import type { WordVectors } from '../text/word-vectors.ts';
import type { CallFeatures, Turn } from './call-features.ts';

/** Who speaks (4), where the call stands (3), timing (4). */
export const TURN_SIZE = 11;

/** Places in the features' own state: speaker before, speakers so far as bits, end of the turn before on the call's clock (-1: not known). */
const OWN = { speaker: 0, speakers: 1, endMs: 2 } as const;
const OWN_SIZE = 3;

const SPEAKER_BITS = 32;
const SECOND_MS = 1_000;

/** Turn, text, word vectors, text encoder, sentence encoder and table: the features of a model of calls with a table of n-grams. */
export function createTurnFeatures(parts: {
  readonly words: WordVectors | null;
  readonly encoder: WordEncoder | null;
  /** Values of a turn's sentence encoder; 0: it has none. */
  readonly sentence: number;
  readonly embedding: Embedding | null;
}): CallFeatures {
  const text = createTextFeatures(parts);
  return {
    inputSize: TURN_SIZE + text.size,
    stateSize: OWN_SIZE,
    write(turn, { state, inputs, inputAt }, ownAt) {
      const { words, compound } = text.write(turn.text, inputs, inputAt + TURN_SIZE, turn.sentence);
      const speaker = speakerOf(turn.speaker);
      const bit = 2 ** (speaker % SPEAKER_BITS);
      const known = Math.floor(state[ownAt + OWN.speakers] / bit) % 2 === 1;
      const before = turn.count === 0 || state[ownAt + OWN.endMs] < 0 ? Number.NaN : state[ownAt + OWN.endMs];
      inputs[inputAt] = turn.speaker === 'customer' ? 1 : 0;
      inputs[inputAt + 1] = turn.speaker === 'agent' ? 1 : 0;
      inputs[inputAt + 2] = turn.count > 0 && state[ownAt + OWN.speaker] === speaker ? 1 : 0;
      inputs[inputAt + 3] = known ? 1 : 0;
      inputs[inputAt + 4] = Math.min(turn.count, 20) / 20;
      inputs[inputAt + 5] = turn.meanCompound;
      inputs[inputAt + 6] = Math.min(Math.log1p(turn.gapMs / SECOND_MS) / 5, 2);
      writeTiming(turn, { words, before }, inputs, inputAt + 7);
      state[ownAt + OWN.speaker] = speaker;
      if (!known) state[ownAt + OWN.speakers] += bit;
      state[ownAt + OWN.endMs] = turn.endMs >= 0 ? turn.endMs : -1;
      return compound;
    },
  };
}

/** Length, speaking rate, silence before and talk-over, from the call's own clock; zeros where it does not say or jumps. */
function writeTiming(
  { startMs, endMs }: Turn,
  { words, before }: { readonly words: number; readonly before: number },
  inputs: Float32Array,
  at: number,
): void {
  const lengthMs = endMs - startMs;
  const isTimed = lengthMs > 0 && lengthMs < 600 * SECOND_MS;
  const silenceMs = startMs - before;
  const isNear = Math.abs(silenceMs) < 600 * SECOND_MS;
  inputs[at] = isTimed ? Math.log1p(lengthMs / SECOND_MS) / 3 : 0;
  inputs[at + 1] = isTimed ? Math.min((words * SECOND_MS) / lengthMs / 5, 2) : 0;
  inputs[at + 2] = isNear && silenceMs > 0 ? Math.log1p(silenceMs / SECOND_MS) / 3 : 0;
  inputs[at + 3] = isNear && silenceMs < 0 ? Math.min(-silenceMs / SECOND_MS / 5, 2) : 0;
}

/** FNV-1a, 32 bits, over UTF-16 units: names are not kept. */
function speakerOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
