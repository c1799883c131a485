/**
 * What the network's outputs mean: for each horizon three numbers a, b, c in units of sigma * sqrt(horizon):
 *   q50 = a, q10 = a - softplus(b), q90 = a + softplus(c).
 * Quantiles so made can not cross. It is nn's multi-quantile head at levels 0.1, 0.5, 0.9 over a linear output; a test holds the two together.
 */
import { softplus } from '@tideline/nn';

export const QUANTILES = [0.1, 0.5, 0.9] as const;

/** q10, q50, q90 of one horizon, in sigmas. `at` is the place of a. */
export function quantilesOf(outputs: ArrayLike<number>, at: number): readonly [number, number, number] {
  const a = outputs[at];
  return [a - softplus(outputs[at + 1]), a, a + softplus(outputs[at + 2])];
}

/** Pinball loss max(t e, (t - 1) e), e = y - q. Source: Koenker, Bassett, "Regression Quantiles", Econometrica 46, 1978. */
export function pinball(quantile: number, y: number, q: number): number {
  const e = y - q;
  return e >= 0 ? quantile * e : (quantile - 1) * e;
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
  const horizons = targets.length;
  let loss = 0;
  const scale = 1 / (horizons * QUANTILES.length);
  for (let h = 0; h < horizons; h += 1) {
    const at = 3 * h;
    const y = targets[h];
    gradient[at] = 0;
    gradient[at + 1] = 0;
    gradient[at + 2] = 0;
    if (Number.isNaN(y)) continue;
    const q = quantilesOf(outputs, at);
    const slopes = QUANTILES.map((quantile, i) => {
      loss += scale * pinball(quantile, y, q[i]);
      return scale * (y >= q[i] ? -quantile : 1 - quantile);
    });
    gradient[at] = slopes[0] + slopes[1] + slopes[2];
    gradient[at + 1] = -slopes[0] / (1 + Math.exp(-outputs[at + 1]));
    gradient[at + 2] = slopes[2] / (1 + Math.exp(-outputs[at + 2]));
  }
  return loss;
}
