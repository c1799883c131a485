/**
 * What quantiles of a return say of its direction and spread. Between two levels the distribution is taken as normal: the standard normal's quantiles of
 * the levels are interpolated, and beyond the outermost ones the nearest piece goes on.
 */

/** Standard normal's distribution function. Source: M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 26.2.17; error below 7.5e-8. */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = 0.3989422804014327 * Math.exp(-0.5 * z * z) * poly;
  return z >= 0 ? 1 - tail : tail;
}

/** Standard normal's quantile by bisection of its distribution function: asked once a level. */
export function normalScore(level: number): number {
  let low = -9;
  let high = 9;
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Probability that the return is above 0. `scores`: normal scores of the levels; `quantiles`: of the return, rising. */
export function probabilityUp(scores: Float64Array, quantiles: Float64Array): number {
  const last = quantiles.length - 1;
  if (last === 0) return quantiles[0] > 0 ? 1 : quantiles[0] < 0 ? 0 : 0.5;
  let i = 0;
  while (i < last - 1 && quantiles[i + 1] < 0) i += 1;
  const span = quantiles[i + 1] - quantiles[i];
  // Two quantiles at one place: all of their share lies there.
  if (!(span > 0)) return quantiles[i] > 0 ? 1 : quantiles[i] < 0 ? 0 : 0.5;
  return 1 - normalShare(scores[i] + ((scores[i + 1] - scores[i]) * (0 - quantiles[i])) / span);
}

/** Deviation of the return: that of a normal distribution with the outermost quantiles' distance. */
export function volatilityOf(scores: Float64Array, quantiles: Float64Array): number {
  const last = quantiles.length - 1;
  return last === 0 ? Number.NaN : (quantiles[last] - quantiles[0]) / (scores[last] - scores[0]);
}
