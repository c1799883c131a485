import { CHARACTERS_MAX } from '../text/tokens.ts';
import { polarityOf } from '../text/vader.ts';
import type { CallFeatures } from './call-features.ts';

/** Hashed n-gram features of a text. */
const HASHED_SIZE = 18;
/** Hashed n-grams, then VADER's negative, neutral, positive and compound. */
const TEXT_FEATURES = HASHED_SIZE + 4;
/** Text features, speaker is customer, speaker is agent, words, gap since the last utterance, running score, turn number. */
const INPUT_SIZE = TEXT_FEATURES + 6;

/** The features of a model without a table of n-grams: 28 numbers, for the small model that ships. */
export const COMPACT_FEATURES: CallFeatures = {
  inputSize: INPUT_SIZE,
  stateSize: 0,
  write({ text, speaker, count, gapMs, meanCompound }, { inputs, inputAt }) {
    const compound = writeTextFeatures(text, inputs, inputAt);
    const at = inputAt + TEXT_FEATURES;
    inputs[at] = speaker === 'customer' ? 1 : 0;
    inputs[at + 1] = speaker === 'agent' ? 1 : 0;
    inputs[at + 2] = Math.min(Math.log1p(countWords(text)) / 4, 2);
    inputs[at + 3] = Math.min(Math.log1p(gapMs / 1000) / 5, 2);
    inputs[at + 4] = meanCompound;
    inputs[at + 5] = Math.min(count, 20) / 20;
    return compound;
  },
};

/**
 * Signed feature hashing of words and character trigrams (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009),
 * L2-normalised, with the lexicon's scores behind. Writes TEXT_FEATURES values at `at` and returns the compound score.
 */
function writeTextFeatures(text: string, into: Float32Array, at: number): number {
  const cut = text.slice(0, CHARACTERS_MAX);
  const sums = new Float64Array(HASHED_SIZE);
  for (const word of cut.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) {
    addHashed(sums, word, 1);
    const padded = `<${word}>`;
    for (let i = 0; i + 3 <= padded.length; i += 1) addHashed(sums, padded.slice(i, i + 3), 0.3);
  }
  const norm = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0));
  for (let i = 0; i < HASHED_SIZE; i += 1) into[at + i] = norm > 0 ? sums[i] / norm : 0;
  const { neg, neu, pos, compound } = polarityOf(cut);
  into.set([neg, neu, pos, compound], at + HASHED_SIZE);
  return compound;
}

function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}']+/gu)?.length ?? 0;
}

/** FNV-1a over UTF-16 units: the low bits choose the place, one high bit the sign. */
function addHashed(sums: Float64Array, gram: string, value: number): void {
  let hash = 0x811c9dc5;
  for (let i = 0; i < gram.length; i += 1) hash = Math.imul(hash ^ gram.charCodeAt(i), 0x01000193);
  const sign = (hash & 0x40000000) === 0 ? 1 : -1;
  sums[(hash >>> 0) % HASHED_SIZE] += sign * value;
}
