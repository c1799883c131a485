/**
 * What the network's outputs mean: for each horizon three numbers a, b, c in units of sigma * sqrt(horizon):
 *   q50 = a, q10 = a - softplus(b), q90 = a + softplus(c).
 * Quantiles so made can not cross. It is nn's multi-quantile head at levels 0.1, 0.5, 0.9 over a linear output; a test holds the two together.
 */
import { softplus } from '@tideline/nn';
import { quantileLoss } from '../quantile-loss.ts';

export const QUANTILES = [0.1, 0.5, 0.9] as const;

/** q10, q50, q90 of one horizon, in sigmas. `at` is the place of a. */
export function quantilesOf(outputs: ArrayLike<number>, at: number): readonly [number, number, number] {
  const a = outputs[at];
  return [a - softplus(outputs[at + 1]), a, a + softplus(outputs[at + 2])];
}

/**
 * Mean pinball loss of one row over horizons and quantiles, and its gradient with respect to the raw outputs.
 * `targets`: the return over each horizon in units of sigma * sqrt(horizon), NaN where it is not known (counts nothing).
 */
export function tickLoss(
  outputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  gradient: { [index: number]: number },
): number {
  return quantileLoss(outputs, targets, QUANTILES, gradient);
}
