/** ln(1 + e^x), without overflow. */
export function softplus(x: number): number {
  return x > 30 ? x : Math.log1p(Math.exp(x));
}

/** The level from which the others are counted: the one nearest to 0.5, of two equally near ones the lower. */
export function middleOf(levels: readonly number[]): number {
  let middle = 0;
  levels.forEach((level, i) => {
    if (Math.abs(level - 0.5) < Math.abs(levels[middle] - 0.5)) middle = i;
  });
  return middle;
}

/**
 * Quantiles of one target from as many linear outputs z, so that they cannot cross whatever z is. With the middle level m and K below it:
 *   q_m = z_0,
 *   q_(m-k) = q_(m-k+1) - softplus(z_k) for k = 1..K (downwards),
 *   q_(m+k) = q_(m+k-1) + softplus(z_(K+k)) for k = 1..(n-1-K) (upwards).
 * With levels 0.1, 0.5, 0.9 this is (a, b, c) -> a - softplus(b), a, a + softplus(c). Distances that are sums of positive numbers: after
 * Y. Park et al., "Learning Quantile Functions without Quantile Crossing for Distribution-free Time Series Forecasting", 2022.
 * z: [n] at `zAt`; q: [n] at `qAt`, rising as the levels.
 */
export function writeQuantiles(
  z: ArrayLike<number>,
  zAt: number,
  levels: { readonly count: number; readonly middle: number },
  q: { [index: number]: number },
  qAt: number,
): void {
  const { count, middle } = levels;
  let value = z[zAt];
  q[qAt + middle] = value;
  for (let k = 1; k <= middle; k += 1) {
    value -= softplus(z[zAt + k]);
    q[qAt + middle - k] = value;
  }
  value = z[zAt];
  for (let i = middle + 1; i < count; i += 1) {
    value += softplus(z[zAt + i]);
    q[qAt + i] = value;
  }
}
