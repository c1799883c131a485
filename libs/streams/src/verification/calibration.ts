/**
 * Adaptive conformal intervals by quantile tracking: an outer quantile moves outwards when the truth lies beyond it and inwards when it does not, by
 * amounts that balance where its level says. The share of truths beyond it then tends to the level whatever the truths are, also when the regime changes.
 * Sources: I. Gibbs, E. Candes, "Adaptive Conformal Inference Under Distribution Shift", NeurIPS 2021; A. Angelopoulos, E. Candes, R. Tibshirani,
 * "Conformal PID Control for Time Series Prediction", NeurIPS 2023 (its quantile tracker, one for each side).
 *
 * Where no experts are asked, the median is the last value while that has been nearer to what came: where prices mostly stand still, a median beside them
 * costs more than it says.
 *
 * State of one series and horizon: the mean absolute error in widths, its count, that of the network's median and of the last value, an offset a level in
 * widths.
 */
import type { CalibrationOptions } from './options.ts';
import type { Settled } from './scores.ts';

const ERROR = 0;
const COUNT = 1;
const PLAIN = 2;
const NAIVE = 3;
const OFFSETS = 4;
/** Truths that the running mean error remembers where no other number is asked for. */
const MEMORY = 100;
/** The first truths of a series are measured in a unit that is still finding itself: they move nothing. */
const UNHEARD = 20;
/** Truths before the last value may stand for the median. */
const COUNT_MIN = 50;
/** An offset is this many mean errors at most: what stays beyond it is not to be won by waiting. */
const OFFSET_MAX = 20;

export const calibrationSize = (levels: number): number => OFFSETS + levels;

/** Adds the offsets to the quantiles, log returns, of a forecast that is `width` wide; they stay in order. */
export function calibrate(
  state: Float64Array,
  at: number,
  quantiles: Float64Array,
  { middle, width, isNaiveHeard }: { readonly middle: number; readonly width: number; readonly isNaiveHeard: boolean },
): void {
  const isNaive = isNaiveHeard && state[at + COUNT] >= COUNT_MIN && state[at + NAIVE] < state[at + PLAIN];
  if (isNaive) quantiles[middle] = 0;
  for (let i = middle - 1; i >= 0; i -= 1)
    quantiles[i] = Math.min(quantiles[i + 1], quantiles[i] + width * state[at + OFFSETS + i]);
  for (let i = middle + 1; i < quantiles.length; i += 1)
    quantiles[i] = Math.max(quantiles[i - 1], quantiles[i] + width * state[at + OFFSETS + i]);
}

/** Moves the offsets by a forecast whose truth has come. `divisor`: of what its weight counts; `plain`: the median before it was calibrated, in widths. */
export function track(
  state: Float64Array,
  at: number,
  levels: readonly number[],
  one: Settled & { readonly width: number; readonly divisor: number; readonly plain: number },
  { rate, memory = MEMORY }: CalibrationOptions,
): void {
  const { values, quantilesAt, middle, weight, truth, width, divisor, plain } = one;
  const median = values[quantilesAt + middle];
  const error = Math.abs(truth - median) / width;
  const count = state[at + COUNT];
  state[at + COUNT] = count + 1;
  if (count < UNHEARD) return;
  const newest = Math.max(1 / memory, 1 / (count + 1 - UNHEARD));
  state[at + ERROR] += newest * (error - state[at + ERROR]);
  state[at + PLAIN] += newest * (Math.abs(truth / width - plain) - state[at + PLAIN]);
  state[at + NAIVE] += newest * (Math.abs(truth) / width - state[at + NAIVE]);
  const scale = state[at + ERROR];
  const step = (rate * scale * weight) / divisor;
  const bound = OFFSET_MAX * scale;
  for (let i = 0; i < levels.length; i += 1) {
    if (i === middle) continue;
    const quantile = values[quantilesAt + i];
    const isLower = i < middle;
    // A truth that equals the quantile is inside.
    const isBeyond = isLower ? truth < quantile : truth > quantile;
    // Inwards there is no way past the median: an offset that went on would be slow to come back.
    if (!isBeyond && quantile === median) continue;
    const outwards = step * ((isBeyond ? 1 : 0) - (isLower ? levels[i] : 1 - levels[i]));
    const offset = state[at + OFFSETS + i] + (isLower ? -outwards : outwards);
    state[at + OFFSETS + i] = Math.max(-bound, Math.min(bound, offset));
  }
}
