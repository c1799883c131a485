import assert from 'node:assert/strict';
import type { LayerWeights } from '../model.ts';

/** One layer at one step. Sizes: input I = `inputSize`, hidden H = `hiddenSize`. The caller allocates; nothing is allocated in a step. */
export interface CellStep {
  readonly weights: LayerWeights;
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Input x_t, [I] at `xAt`. */
  readonly x: Float32Array;
  readonly xAt: number;
  /** States of all slots; h_{t-1} is read at `hAt`, [H], and h_t written in its place, rounded to float32. */
  readonly state: Float32Array;
  readonly hAt: number;
  /** LSTM: c_{t-1} at `cAt`, [H], replaced by c_t. */
  readonly cAt: number;
  /** [4 * H], with layer norm [8 * H], overwritten. */
  readonly scratch: Float64Array;
}

/** A tensor that the layer has by its model's spec. */
export function tensorOf(weights: LayerWeights, field: keyof LayerWeights): Float32Array {
  const tensor = weights[field];
  assert(tensor, `The layer has no '${field}'.`);
  return tensor;
}
