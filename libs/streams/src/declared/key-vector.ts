import { embeddingOf, type Model } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { textBucket } from '../text/grams.ts';
import type { DeclaredEmbedding } from './declaration.ts';

/** Writes what a model learnt of a series: its row of the trained table, behind the features. */
export interface KeyVector {
  readonly size: number;
  write(key: string, inputs: Float32Array, at: number): void;
}

/** Bucket of a series in the table. A hash, so that no list of series has to be kept; fixed for good: a trained table depends on it. */
export function keyBucket(key: string, { buckets }: DeclaredEmbedding): number {
  return textBucket(key, buckets);
}

/**
 * Null where none is declared; zeros where there is no model to take them from (ingest, training, which gathers itself). Throws ConfigError where model and
 * declaration do not agree.
 */
export function keyVectorOf(
  name: string,
  declared: DeclaredEmbedding | null,
  model: Pick<Model, 'spec' | 'weights'> | undefined,
): KeyVector | null {
  const learnt = model?.spec.embedding;
  if (model !== undefined && (declared?.size !== learnt?.size || declared?.buckets !== learnt?.buckets))
    throw new ConfigError([
      `Stream '${name}' declares ${textOf(declared)}, model '${model.spec.name}' has ${textOf(learnt)}: train a model for this stream ('tideline train').`,
    ]);
  if (declared === null) return null;
  const { size } = declared;
  const embedding = model === undefined ? null : embeddingOf(model);
  const entry = [0];
  return {
    size,
    write(key, inputs, at) {
      if (embedding === null) {
        inputs.fill(0, at, at + size);
        return;
      }
      entry[0] = keyBucket(key, declared);
      embedding.gather(entry, inputs, at);
    },
  };
}

function textOf(embedding: DeclaredEmbedding | null | undefined): string {
  return embedding ? `an embedding of ${embedding.buckets} x ${embedding.size}` : 'no embedding';
}
