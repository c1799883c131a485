/**
 * What a word-level LSTM reads of an utterance: its words in order, which pooled vectors and n-grams lose ("not bad, I was worried" and "bad, I was not
 * worried" have the same). The network is a call model's `textEncoder` (libs/nn); here is what it is given of each word.
 */
import { embeddingOf, type Model, type ModelSpec, type TextEncoderSpec, textEncoderOf } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { gramBuckets } from './grams.ts';
import { isWord } from './tokens.ts';
import type { WordVectors } from './word-vectors.ts';

/** Beside the vector: whether the word has none, whether it is a word at all. */
const SIGNS = 2;
/** Tokens that are read of a text; what is behind them counts nothing. */
export const ENCODED_TOKENS_MAX = 128;

/** The shape of an encoder in both directions (the utterance is whole when it is read) with `outputSize` outputs. */
export function wordEncoderSpec(
  words: Pick<WordVectors, 'size'>,
  sizes: {
    readonly buckets: number;
    readonly embedding: number;
    readonly hiddenSize: number;
    readonly outputSize: number;
  },
): TextEncoderSpec {
  const { buckets, embedding, hiddenSize, outputSize } = sizes;
  return {
    ...{ cell: 'lstm', layers: 1, bidirectional: true, hiddenSize, outputSize },
    inputSize: words.size + SIGNS + embedding,
    embedding: { buckets, size: embedding },
    head: { kind: 'linear', scope: 'sequence' },
  };
}

/** What the encoder reads of each token, [tokens][inputSize], the embedding's values left 0; and each token's entries in its table (pieces of 4 letters). */
export function readWords(
  tokens: readonly string[],
  words: WordVectors,
  { inputSize, embedding }: Pick<ModelSpec, 'inputSize' | 'embedding'>,
): { readonly inputs: Float32Array; readonly entries: readonly (readonly number[])[] } {
  const read = tokens.slice(0, ENCODED_TOKENS_MAX);
  const inputs = new Float32Array(read.length * inputSize);
  const entries = read.map((token, i) => {
    const at = i * inputSize;
    const row = words.rowOf(token);
    if (row !== -1) inputs.set(words.values.subarray(row * words.size, (row + 1) * words.size), at);
    inputs[at + words.size] = row === -1 ? 1 : 0;
    inputs[at + words.size + 1] = isWord(token) ? 1 : 0;
    return gramBuckets([token], embedding?.buckets ?? 1);
  });
  return { inputs, entries };
}

/** The values of a text. */
export interface WordEncoder {
  readonly size: number;
  /** Writes [size] values at `at`; zeros where there is no token. */
  write(tokens: readonly string[], inputs: Float32Array, at: number): void;
}

/** The text encoder of a model of calls; null where it has none. Throws ConfigError where it reads other values of a word than `readWords` gives. */
export function wordEncoderOf(model: Pick<Model, 'spec' | 'weights'>, words: WordVectors): WordEncoder | null {
  const encoder = textEncoderOf(model);
  if (encoder === null) return null;
  const { spec } = encoder.model;
  const table = embeddingOf(encoder.model);
  const size = words.size + SIGNS + (table?.size ?? 0);
  if (table === null || spec.inputSize !== size)
    throw new ConfigError([
      `Model '${model.spec.name}': its textEncoder reads ${spec.inputSize} values of a word, ` +
        `${table === null ? 'without an embedding among them' : `but a word has ${size}`}. Train it with this version.`,
    ]);
  return {
    size: spec.outputSize,
    write(tokens, inputs, at) {
      if (tokens.length === 0) {
        inputs.fill(0, at, at + spec.outputSize);
        return;
      }
      const read = readWords(tokens, words, spec);
      read.entries.forEach((of, i) => {
        table.gather(of, read.inputs, (i + 1) * spec.inputSize - table.size);
      });
      encoder.write(read.inputs, inputs, at);
    },
  };
}
