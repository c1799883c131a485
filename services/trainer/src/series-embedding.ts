/** Training with a table of what is particular about each series (`embedding` of a declared stream). */
import { createModel, type Dropout, embeddingOf, type Model, type ModelSpec, type ModelWeights } from '@tideline/nn';
import { type DeclaredEmbedding, keyBucket } from '@tideline/streams';
import type { SeriesRows } from './series-rows.ts';

/** Share of the rows at which training does without the series' own values: a series that was never seen has none either. */
const UNKNOWN_SHARE = 0.2;

/** What a spec and its training have for a declared embedding; nothing where none is declared. */
export function embeddingTraining(embedding: DeclaredEmbedding | null): {
  readonly spec: Pick<ModelSpec, 'embedding'>;
  readonly training: { readonly dropout?: Dropout };
} {
  if (embedding === null) return { spec: {}, training: {} };
  const { buckets, size } = embedding;
  return { spec: { embedding: { buckets, size } }, training: { dropout: { entries: UNKNOWN_SHARE } } };
}

/** A model whose table is 0 wherever no series learnt: a series that was never seen is read as one without particulars, and works at once. */
export function createSeriesModel(
  spec: ModelSpec,
  weights: ModelWeights,
  learnt: { readonly embedding: DeclaredEmbedding | null; readonly keys: readonly string[] },
): Model {
  const { embedding, keys } = learnt;
  if (embedding === null || weights.embedding === undefined) return createModel(spec, weights);
  const { size } = embedding;
  const table = new Float32Array(weights.embedding.length);
  for (const at of keys.map((key) => keyBucket(key, embedding) * size))
    table.set(weights.embedding.subarray(at, at + size), at);
  return createModel(spec, { ...weights, embedding: table });
}

/** Sets the table's inputs of rows that were read without the model, as the stream sets them with it. */
export function gatherInputs(model: Model, series: readonly SeriesRows[], declared: DeclaredEmbedding | null): void {
  const embedding = embeddingOf(model);
  if (embedding === null || declared === null) return;
  const { inputSize } = model.spec;
  for (const { key, inputs, rows } of series)
    for (let row = 0; row < rows; row += 1)
      embedding.gather([keyBucket(key, declared)], inputs, (row + 1) * inputSize - embedding.size);
}
