import type { Embedding } from '@tideline/nn';
import { gramBuckets } from './grams.ts';
import { CHARACTERS_MAX, isWord, tokensOf } from './tokens.ts';
import { polarityOf } from './vader.ts';
import type { WordEncoder } from './word-encoder.ts';
import type { WordVectors } from './word-vectors.ts';

/** VADER's negative, neutral, positive and compound; tokens, exclamation marks, question marks, dots in a row, share of capitals. */
const SHAPE_SIZE = 9;
/** Mean, greatest and least value of each dimension. */
const POOLS = 3;

/** Numbers of a text, for a network. */
export interface TextFeatures {
  /** Values that `write` sets. */
  readonly size: number;
  /**
   * Writes [size] values at `at`: shape and lexicon, pooled word vectors, what the encoder makes of the words, the sentence encoder's values, which the caller
   * has (none: the model has no such encoder), then the table's entries gathered.
   */
  write(text: string, inputs: Float32Array, at: number, sentence?: Float32Array | null): TextMeasures;
  /** The table's entries that `write` gathers: what training needs. */
  entriesOf(text: string): number[];
}

export interface TextMeasures {
  readonly words: number;
  /** The lexicon's score of the whole text, -1..1. */
  readonly compound: number;
}

/** Values of a text without its encoders and its table: whether word vectors are among them is told by this size. */
export function textSizeOf(words: WordVectors | null): number {
  return SHAPE_SIZE + (words === null ? 0 : POOLS * words.size);
}

/** Deterministic: the same text gives the same bits, online and offline. Any string is taken, in any language; what is unknown counts nothing. */
export function createTextFeatures(parts: {
  readonly words: WordVectors | null;
  readonly encoder: WordEncoder | null;
  /** Values of the sentence encoder; none unless said. */
  readonly sentence?: number;
  readonly embedding: Embedding | null;
}): TextFeatures {
  const { words, encoder, embedding } = parts;
  const pooled = textSizeOf(words);
  const read = pooled + (encoder?.size ?? 0);
  const dense = read + (parts.sentence ?? 0);
  return {
    size: dense + (embedding?.size ?? 0),
    write(text, inputs, at, sentence = null) {
      const tokens = tokensOf(text);
      const compound = writeShape(text, tokens, inputs, at);
      if (words !== null) poolWords(tokens, words, inputs, at + SHAPE_SIZE);
      encoder?.write(tokens, inputs, at + pooled);
      if (sentence !== null) inputs.set(sentence, at + read);
      embedding?.gather(gramBuckets(tokens, embedding.buckets), inputs, at + dense);
      return { words: tokens.reduce((count, token) => count + (isWord(token) ? 1 : 0), 0), compound };
    },
    entriesOf: (text) => (embedding === null ? [] : gramBuckets(tokensOf(text), embedding.buckets)),
  };
}

function writeShape(text: string, tokens: readonly string[], inputs: Float32Array, at: number): number {
  const cut = text.slice(0, CHARACTERS_MAX);
  const { neg, neu, pos, compound } = polarityOf(cut);
  const count = (mark: string): number => tokens.reduce((sum, token) => sum + (token === mark ? 1 : 0), 0);
  let capitals = 0;
  for (let i = 0; i < cut.length; i += 1) {
    const unit = cut.charCodeAt(i);
    if (unit >= 0x41 && unit <= 0x5a) capitals += 1;
  }
  inputs[at] = neg;
  inputs[at + 1] = neu;
  inputs[at + 2] = pos;
  inputs[at + 3] = compound;
  inputs[at + 4] = Math.min(tokens.length, 40) / 20;
  inputs[at + 5] = Math.min(count('!'), 4) / 2;
  inputs[at + 6] = Math.min(count('?'), 4) / 2;
  inputs[at + 7] = /\.\.|…|\u0085/.test(cut) ? 1 : 0;
  inputs[at + 8] = capitals / (cut.length + 1);
  return compound;
}

/** Source of the pools: D. Shen et al., "Baseline Needs More Love: On Simple Word-Embedding-Based Models", ACL 2018. Zeros where no word is known. */
function poolWords(tokens: readonly string[], words: WordVectors, inputs: Float32Array, at: number): void {
  const { size, values } = words;
  const rows = tokens.map((token) => words.rowOf(token)).filter((row) => row !== -1);
  for (let d = 0; d < size; d += 1) {
    let [sum, greatest, least] = [0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const row of rows) {
      const value = values[row * size + d];
      sum += value;
      if (value > greatest) greatest = value;
      if (value < least) least = value;
    }
    inputs[at + d] = rows.length === 0 ? 0 : sum / rows.length;
    inputs[at + size + d] = rows.length === 0 ? 0 : greatest;
    inputs[at + 2 * size + d] = rows.length === 0 ? 0 : least;
  }
}
