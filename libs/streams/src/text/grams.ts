import { isWord } from './tokens.ts';

/** n-grams of a text at most: 2,000 characters give fewer, so this bounds memory, not meaning. */
export const GRAMS_MAX = 8_192;

/** Kinds of n-grams, each with hashes of its own. */
const WORD_SEED = 0x811c9dc5;
const CHARACTER_SEED = 0x2f0b4c47;
const WHOLE_SEED = 0x6b43a9b5;
const PRIME = 0x01000193;
const SEPARATOR = 0x1f;
const CHARACTERS = 4;

/**
 * Buckets of a text's n-grams, in reading order, each as often as it stands there: words (and marks), pairs of neighbours, and runs of 4 characters
 * inside longer words, in which endings and misspelt words of any language share buckets. The hash is FNV-1a over UTF-16 units with the finaliser
 * of MurmurHash3 (A. Appleby, public domain), fixed for good: a trained table depends on it. Sources: K. Weinberger et al., "Feature Hashing for
 * Large Scale Multitask Learning", ICML 2009; P. Bojanowski et al., "Enriching Word Vectors with Subword Information", TACL 2017.
 */
export function gramBuckets(tokens: readonly string[], buckets: number): number[] {
  const found: number[] = [];
  const add = (hash: number): void => {
    if (found.length < GRAMS_MAX) found.push(finalise(hash) % buckets);
  };
  let before = 0;
  tokens.forEach((token, i) => {
    const hash = hashOn(WORD_SEED, token);
    add(hash);
    if (i > 0) add(hashOn(step(before, SEPARATOR), token));
    before = hash;
    if (token.length < CHARACTERS || !isWord(token)) return;
    const padded = `<${token}>`;
    for (let at = 0; at + CHARACTERS <= padded.length; at += 1) {
      let run = CHARACTER_SEED;
      for (let k = at; k < at + CHARACTERS; k += 1) run = step(run, padded.charCodeAt(k));
      add(run);
    }
  });
  return found;
}

/** Bucket of a text as a whole, by the same hash. */
export function textBucket(text: string, buckets: number): number {
  return finalise(hashOn(WHOLE_SEED, text)) % buckets;
}

function hashOn(hash: number, text: string): number {
  let next = hash;
  for (let i = 0; i < text.length; i += 1) next = step(next, text.charCodeAt(i));
  return next;
}

function step(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, PRIME);
}

/** Each bit of the hash depends on all of its bits, so that the low ones may choose the bucket. */
function finalise(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
