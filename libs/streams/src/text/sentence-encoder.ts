/**
 * An encoder outside of the model, such as a sentence transformer (N. Reimers, I. Gurevych, "Sentence-BERT", EMNLP 2019): a port, its adapter is
 * libs/adapters/src/onnx. A model says in its spec which one it was trained with, so the encoder counts in the model's digest and in that of every state.
 */
import type { ModelSpec } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';

export interface SentenceEncoder {
  /** Values of a text. */
  readonly size: number;
  /** SHA-256, hex, of the encoder's files. */
  readonly digest: string;
  /** Values of each text, [size], in the texts' order: a function of the text alone, to the bit. Any string is taken. */
  encode(texts: readonly string[]): Promise<readonly Float32Array[]>;
}

/** Throws ConfigError where a model's encoder is not the one that is there: none, another one, or one that it never learnt to read. */
export function assertSentenceEncoder(
  { name, sentenceEncoder: wanted }: Pick<ModelSpec, 'name' | 'sentenceEncoder'>,
  encoder: Pick<SentenceEncoder, 'size' | 'digest'> | undefined,
): void {
  const setting = 'TIDELINE_SENTENCE_ENCODER (--sentence-encoder)';
  if (wanted === undefined) {
    if (encoder === undefined) return;
    throw new ConfigError([
      `Model '${name}' reads no sentence encoder, but ${setting} names one: leave it out, or train a model with it ('tideline train calls --data').`,
    ]);
  }
  if (encoder === undefined)
    throw new ConfigError([
      `Model '${name}' was trained with a sentence encoder (digest ${wanted.digest.slice(0, 12)}): name its folder with ${setting}.`,
    ]);
  if (encoder.digest !== wanted.digest || encoder.size !== wanted.size)
    throw new ConfigError([
      `Model '${name}' was trained with the sentence encoder ${wanted.digest.slice(0, 12)} of ${wanted.size} values, ` +
        `${setting} names ${encoder.digest.slice(0, 12)} of ${encoder.size}: name the folder that it was trained with.`,
    ]);
}
