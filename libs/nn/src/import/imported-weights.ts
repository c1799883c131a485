import type { ModelSpec, ModelWeights } from '../model.ts';

/** The spec without its name, which the caller gives. */
export type ImportedSpec = Omit<ModelSpec, 'name'>;

/** What a reader of one format found: a model without a name, and what a person should know about how it was understood. */
export interface ImportedWeights {
  readonly spec: ImportedSpec;
  readonly weights: ModelWeights;
  /** Whole sentences for the card and the terminal. */
  readonly notes: readonly string[];
}

/** An identity head for a network without one: [size][size] and [size], so that the outputs are the last layer's hidden state. */
export function identityHead(size: number): Pick<ModelWeights, 'headW' | 'headB'> {
  const headW = new Float32Array(size * size);
  for (let i = 0; i < size; i += 1) headW[i * size + i] = 1;
  return { headW, headB: new Float32Array(size) };
}

export const NO_HEAD_NOTE = "The file has no linear head: the outputs are the last layer's hidden state.";
export const LAST_STEP_NOTE = 'The file applies its head to the last step alone; here every step has an output.';
