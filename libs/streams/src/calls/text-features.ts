import { polarityOf } from './vader.ts';

/** Hashed n-gram features of a text. */
export const HASHED_SIZE = 18;
/** Hashed n-grams, then VADER's negative, neutral, positive and compound. */
export const TEXT_FEATURES = HASHED_SIZE + 4;

/** Texts longer than this are cut: a turn of a call is short, and a record must cost what its neighbours cost. */
const CHARACTERS_MAX = 2_000;

/**
 * Signed feature hashing of words and character trigrams (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009),
 * L2-normalised, with the lexicon's scores behind. Writes TEXT_FEATURES values at `at` and returns the compound score.
 */
export function writeTextFeatures(text: string, into: Float32Array, at: number): number {
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

export function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}']+/gu)?.length ?? 0;
}

/** FNV-1a over UTF-16 units: the low bits choose the place, one high bit the sign. */
function addHashed(sums: Float64Array, gram: string, value: number): void {
  let hash = 0x811c9dc5;
  for (let i = 0; i < gram.length; i += 1) hash = Math.imul(hash ^ gram.charCodeAt(i), 0x01000193);
  const sign = (hash & 0x40000000) === 0 ? 1 : -1;
  sums[(hash >>> 0) % HASHED_SIZE] += sign * value;
}
