import type { Model } from './model.ts';

/** Gathers the last inputs of a row from a model's trained table. */
export interface Embedding {
  readonly buckets: number;
  readonly size: number;
  /** Writes [size] values at `at`: the sum of the entries named (each below `buckets`) over the square root of their number; zeros where there are none. */
  gather(entries: readonly number[], inputs: Float32Array, at: number): void;
}

/** The embedding of a model; null where it has none. Sums run in double, in the order of `entries`: the same entries give the same bits everywhere. */
export function embeddingOf({ spec, weights }: Pick<Model, 'spec' | 'weights'>): Embedding | null {
  const table = weights.embedding;
  if (spec.embedding === undefined || table === undefined) return null;
  const { buckets, size } = spec.embedding;
  const sums = new Float64Array(size);
  return {
    buckets,
    size,
    gather(entries, inputs, at) {
      sums.fill(0);
      for (const entry of entries) for (let i = 0; i < size; i += 1) sums[i] += table[entry * size + i];
      const scale = 1 / Math.sqrt(Math.max(1, entries.length));
      for (let i = 0; i < size; i += 1) inputs[at + i] = sums[i] * scale;
    },
  };
}
