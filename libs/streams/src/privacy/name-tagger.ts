/**
 * A Bi-LSTM that reads an utterance in both directions and says of each word how likely it is of a person's name: whether 'Rahul' is one depends on the whole
 * sentence ("Rahul will call you", "I ordered from Rahul Electronics"). Source: Z. Huang, W. Xu, K. Yu, "Bidirectional LSTM-CRF Models for Sequence Tagging",
 * 2015; here without the CRF, since a name is one class.
 *
 * It reads of a word: its vector (word-vectors.ts), a trained sum over hashes of its letters, its capital, its place, the lists of name-rules.ts that hold it.
 * The weights ship with the code (assets/names, made by `tideline train names`): what is redacted depends on the program alone, so a replay reads the same.
 */
import { readFileSync } from 'node:fs';
import {
  createSequenceModel,
  createSimdEngine,
  decodeModel,
  type Embedding,
  embeddingOf,
  type Model,
  type ModelSpec,
} from '@tideline/nn';
import { gramBuckets } from '../text/grams.ts';
import { englishWordVectors, type WordVectors } from '../text/word-vectors.ts';
import { listsOf } from './name-rules.ts';
import type { Token } from './name-tokens.ts';

export const NAMES_MODEL = 'names';
export const NAME_CLASSES = ['other', 'name'] as const;

const VECTOR = 100;
/** Beside the vector: see `readToken`. */
const SIGNS = 15;
/** Words that are read at once; a longer text is read in parts, each with so many words of the one before. */
const WINDOW = 96;
const OVERLAP = 16;
const LENGTH_SCALE = 10;

/** The shape of a model of names. */
export function namesSpec(sizes: {
  readonly buckets: number;
  readonly embedding: number;
  readonly hiddenSize: number;
}): ModelSpec {
  const { buckets, embedding, hiddenSize } = sizes;
  return {
    ...{
      name: NAMES_MODEL,
      cell: 'lstm',
      inputSize: VECTOR + SIGNS + embedding,
      hiddenSize,
      layers: 1,
      bidirectional: true,
    },
    outputSize: NAME_CLASSES.length,
    embedding: { buckets, size: embedding },
    head: { kind: 'classes' },
  };
}

let vectors: WordVectors | null = null;

/** What the network reads of each token, [tokens][inputSize], the embedding's values left 0; and the entries of its table. */
export function readTokens(
  text: string,
  tokens: readonly Token[],
  { inputSize, embedding }: Pick<ModelSpec, 'inputSize' | 'embedding'>,
): { readonly inputs: Float32Array; readonly entries: readonly (readonly number[])[] } {
  vectors ??= englishWordVectors();
  const inputs = new Float32Array(tokens.length * inputSize);
  // Where every word is in capitals, capitals say nothing: it reads as a text without any.
  const isShouted = !/\p{Ll}/u.test(text);
  const isCased =
    !isShouted &&
    tokens.some(({ isCapitalised, word }) => isCapitalised || (word.length > 1 && word === word.toUpperCase()));
  const buckets = embedding?.buckets ?? 1;
  const entries = tokens.map((token, i) => {
    const at = i * inputSize;
    const row = rowOf(vectors as WordVectors, token.lower);
    if (row !== -1) inputs.set((vectors as WordVectors).values.subarray(row * VECTOR, (row + 1) * VECTOR), at);
    const before = i === 0 ? '' : text.slice(tokens[i - 1].to, token.from);
    const isPlaceholder = token.word.startsWith('[');
    const signs = [
      row === -1,
      token.isCapitalised,
      !isShouted && token.word.length > 1 && !isPlaceholder && token.word === token.word.toUpperCase(),
      token.isFirst,
      isPlaceholder,
      isCased,
      token.full !== token.lower,
      before.includes(','),
      ...listsOf(token),
    ];
    signs.forEach((sign, k) => {
      inputs[at + VECTOR + k] = sign ? 1 : 0;
    });
    inputs[at + VECTOR + signs.length] = token.lower.length / LENGTH_SCALE;
    return isPlaceholder ? [] : gramBuckets([token.lower], buckets);
  });
  return { inputs, entries };
}

/** A word's row, or that of the word that a contraction begins with: "don't" as "do". */
function rowOf({ rowOf: of }: WordVectors, word: string): number {
  const row = of(word);
  return row === -1 && word.includes("'") ? of(word.replace(/n?'.*$/, '')) : row;
}

/** Says of each token the probability that it is of a person's name. */
export type NameTagger = (text: string, tokens: readonly Token[]) => Float32Array;

/** A tagger by `model`; the same bits on every machine, since the kernel's are. */
export function createNameTagger(model: Model): NameTagger {
  const { spec } = model;
  const table = embeddingOf(model) as Embedding;
  const network = createSequenceModel(model, { engine: createSimdEngine });
  return (text, tokens) => {
    const { inputs, entries } = readTokens(text, tokens, spec);
    entries.forEach((of, i) => {
      table.gather(of, inputs, (i + 1) * spec.inputSize - table.size);
    });
    const likely = new Float32Array(tokens.length);
    for (let from = 0; from < tokens.length; ) {
      const end = Math.min(tokens.length, from + WINDOW);
      const { outputs } = network.runNow(inputs.slice(from * spec.inputSize, end * spec.inputSize));
      // What both parts have read counts by the one that has read more around it.
      const first = from === 0 ? 0 : OVERLAP / 2;
      for (let i = first; i < end - from; i += 1) likely[from + i] = outputs[i * spec.outputSize + 1];
      from = end === tokens.length ? end : end - OVERLAP;
    }
    return likely;
  };
}

const SHIPPED = new URL('../../assets/names/model.tdl', import.meta.url);
let shipped: NameTagger | null = null;

/** The tagger that ships. Throws where its file is missing, ModelError where it is damaged. */
export function shippedNameTagger(): NameTagger {
  shipped ??= createNameTagger(
    decodeModel(readFileSync(SHIPPED), "The model of names that ships ('assets/names')").model,
  );
  return shipped;
}
