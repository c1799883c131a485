/** Middle value; the mean of the two where there are two. NaN where there is none. */
export function median(values: readonly number[]): number {
  return (quantile(values, 0.5, 'lower') + quantile(values, 0.5, 'upper')) / 2;
}

/** Smallest value that `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Middle, and the quarters of the values below and above it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), low: percentile(values, 0.25), high: percentile(values, 0.75) };
}

function quantile(values: readonly number[], share: number, side: 'lower' | 'upper'): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  return sorted[side === 'lower' ? Math.floor(at) : Math.ceil(at)] ?? Number.NaN;
}
