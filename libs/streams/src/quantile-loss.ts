import { middleOf, writeQuantiles } from '@tideline/nn';

/** Pinball loss max(t e, (t - 1) e), e = y - q. Source: Koenker, Bassett, "Regression Quantiles", Econometrica 46, 1978. */
export function pinball(level: number, y: number, q: number): number {
  const e = y - q;
  return e >= 0 ? level * e : (level - 1) * e;
}

/**
 * Mean pinball loss of one row over targets and levels, and its gradient with respect to the raw outputs, which nn's multi-quantile head reads: for each
 * target the middle quantile, then the distances down, then up. `targets`: NaN where one is not known (counts nothing).
 */
export function quantileLoss(
  outputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  levels: readonly number[],
  gradient: { [index: number]: number },
): number {
  const count = levels.length;
  const middle = middleOf(levels);
  const scale = 1 / (targets.length * count);
  const q = new Float64Array(count);
  const slopes = new Float64Array(count);
  let loss = 0;
  for (let t = 0; t < targets.length; t += 1) {
    const at = count * t;
    const y = targets[t];
    for (let i = 0; i < count; i += 1) gradient[at + i] = 0;
    if (Number.isNaN(y)) continue;
    writeQuantiles(outputs, at, { count, middle }, q, 0);
    for (let i = 0; i < count; i += 1) {
      loss += scale * pinball(levels[i], y, q[i]);
      slopes[i] = scale * (y >= q[i] ? -levels[i] : 1 - levels[i]);
      gradient[at] += slopes[i];
    }
    // A distance moves every quantile beyond it; the slope of softplus is the logistic function.
    let beyond = 0;
    for (let k = middle; k >= 1; k -= 1) {
      beyond += slopes[middle - k];
      gradient[at + k] = -beyond / (1 + Math.exp(-outputs[at + k]));
    }
    beyond = 0;
    for (let i = count - 1; i > middle; i -= 1) {
      beyond += slopes[i];
      gradient[at + i] = beyond / (1 + Math.exp(-outputs[at + i]));
    }
  }
  return loss;
}
