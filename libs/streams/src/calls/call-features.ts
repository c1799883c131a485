import { embeddingOf, type Model } from '@tideline/nn';
import { ConfigError, type RowBuffers } from '@tideline/pipeline';
import { textSizeOf } from '../text/text-features.ts';
import { wordEncoderOf } from '../text/word-encoder.ts';
import { englishWordVectors } from '../text/word-vectors.ts';
import { COMPACT_FEATURES } from './compact-features.ts';
import { createTurnFeatures, TURN_SIZE } from './turn-features.ts';

/** A final utterance and where the call stands before it. */
export interface Turn {
  readonly text: string;
  /** What the model's sentence encoder makes of the text, [size]; null: the model has none. */
  readonly sentence: Float32Array | null;
  readonly speaker: string;
  /** Milliseconds of the call's own clock; NaN where the record does not say. */
  readonly startMs: number;
  readonly endMs: number;
  /** Final utterances before this one. */
  readonly count: number;
  /** Event time since the utterance before; 0 for the first. */
  readonly gapMs: number;
  /** Mean of the lexicon's scores so far; 0 before the first. */
  readonly meanCompound: number;
}

/** What a network sees of a turn. */
export interface CallFeatures {
  readonly inputSize: number;
  /** float64 values of the call's state that are the features' own. */
  readonly stateSize: number;
  /** Writes [inputSize] values, moves its own part of the state, [stateSize] at `ownAt`, on, and returns the lexicon's score of the text. */
  write(turn: Turn, buffers: RowBuffers, ownAt: number): number;
}

/**
 * The features that a model was trained on: the compact ones, or with a table of n-grams (`embedding`) turn, text and table, with word vectors where
 * its inputs have room for them and its text and sentence encoders, if it has them. Throws ConfigError where its inputs are of neither form.
 */
export function callFeaturesOf(model: Pick<Model, 'spec' | 'weights'> | undefined): CallFeatures {
  if (model === undefined || model.spec.embedding === undefined) return COMPACT_FEATURES;
  const embedding = embeddingOf(model);
  const { textEncoder, sentenceEncoder } = model.spec;
  const sentence = sentenceEncoder?.size ?? 0;
  const parts = { embedding: model.spec.embedding.size, encoder: textEncoder?.outputSize ?? 0, sentence };
  const dense = model.spec.inputSize - parts.embedding - parts.encoder - sentence - TURN_SIZE;
  if (dense === textSizeOf(null) && parts.encoder === 0)
    return createTurnFeatures({ words: null, encoder: null, sentence, embedding });
  const words = englishWordVectors();
  if (dense === textSizeOf(words))
    return createTurnFeatures({ words, encoder: wordEncoderOf(model, words), sentence, embedding });
  const sizes = [true, false].map((withWords) => callInputSize({ ...parts, words: withWords }));
  throw new ConfigError([
    `Model '${model.spec.name}' has ${model.spec.inputSize} inputs, a model of calls with its table needs ${sizes[0]} (${sizes[1]} without word vectors).`,
  ]);
}

/** Inputs of a model of calls with a table of n-grams, values of its text and sentence encoders (0: it has none) among them. */
export function callInputSize(parts: {
  readonly embedding: number;
  readonly encoder?: number;
  readonly sentence?: number;
  readonly words: boolean;
}): number {
  const { embedding, encoder = 0, sentence = 0, words } = parts;
  return TURN_SIZE + textSizeOf(words ? englishWordVectors() : null) + encoder + sentence + embedding;
}
