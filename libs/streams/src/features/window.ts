/**
 * Sums over the last k known values of a series, kept in a ring of its state. Adding the newest and taking away the oldest is O(1) but gathers rounding
 * errors; so whenever the ring has gone round once the sum is made anew from its values: still O(1) a row on average, and no error lives longer than k rows.
 */
import type { Build } from './operator.ts';

export interface WindowParameters {
  /** Rows, the present one included. */
  readonly window: number;
}

/** State: count, sum, and k values. */
const HEAD = 2;

/** Takes x into the window; the sum then stands at `s + 1`. */
function take(state: Float64Array, s: number, k: number, x: number): void {
  const count = state[s];
  const slot = count % k;
  const place = s + HEAD + slot;
  state[s + 1] += x - (count < k ? 0 : state[place]);
  state[place] = x;
  state[s] = count + 1;
  if (slot !== k - 1) return;
  let sum = 0;
  for (let i = 0; i < k; i += 1) sum += state[s + HEAD + i];
  state[s + 1] = sum;
}

/** Mean of the last `window` values; not known before there are that many. */
export const buildMean: Build<WindowParameters> = ({ window: k }, { of: [x], out, plan }) => {
  const offset = plan.state(HEAD + k);
  return (values, state, at) => {
    const s = at + offset;
    const value = values[x];
    if (!Number.isNaN(value)) take(state, s, k, value);
    values[out] = !Number.isNaN(value) && state[s] >= k ? state[s + 1] / k : Number.NaN;
  };
};

/** The value as a share of the sum of the last `window` values, itself included: 0..1 for a volume. 0 where the sum is 0. */
export const buildShare: Build<WindowParameters> = ({ window: k }, { of: [x], out, plan }) => {
  const offset = plan.state(HEAD + k);
  return (values, state, at) => {
    const s = at + offset;
    const value = values[x];
    if (Number.isNaN(value)) {
      values[out] = Number.NaN;
      return;
    }
    take(state, s, k, value);
    const sum = state[s + 1];
    values[out] = sum === 0 ? 0 : value / sum;
  };
};

/** Sum of the squares of the last `window` values: the realised variance, where the values are returns. Not known before there are that many. */
export const buildRealisedVariance: Build<WindowParameters> = ({ window: k }, { of: [x], out, plan }) => {
  const offset = plan.state(HEAD + k);
  return (values, state, at) => {
    const s = at + offset;
    const value = values[x];
    if (!Number.isNaN(value)) take(state, s, k, value * value);
    values[out] = !Number.isNaN(value) && state[s] >= k ? Math.max(0, state[s + 1]) : Number.NaN;
  };
};

/** A deviation below this share of the mean's size is rounding: such a window is constant, and the score 0. */
const DEVIATION_MIN = 1e-9;
/** State of a score: count, anchor, sums of (x - anchor) and of its square, and k values. */
const SCORE_HEAD = 4;

/**
 * (x - mean) / standard deviation over the last `window` values, itself included; not known before there are two. The sums are taken around an anchor,
 * the mean when the ring last went round: sums around 0 would lose the deviation's digits where the mean is large.
 */
export const buildZScore: Build<WindowParameters> = ({ window: k }, { of: [x], out, plan }) => {
  const offset = plan.state(SCORE_HEAD + k);
  return (values, state, at) => {
    const s = at + offset;
    const value = values[x];
    if (!Number.isNaN(value)) takeAround(state, s, k, value);
    const n = state[s] < k ? state[s] : k;
    if (Number.isNaN(value) || n < 2) {
      values[out] = Number.NaN;
      return;
    }
    const shift = state[s + 2] / n;
    const mean = state[s + 1] + shift;
    const deviation = Math.sqrt(Math.max(0, state[s + 3] / n - shift * shift));
    values[out] = deviation <= DEVIATION_MIN * Math.abs(mean) ? 0 : (value - mean) / deviation;
  };
};

function takeAround(state: Float64Array, s: number, k: number, x: number): void {
  const count = state[s];
  if (count === 0) state[s + 1] = x;
  const slot = count % k;
  const place = s + SCORE_HEAD + slot;
  const anchor = state[s + 1];
  const gone = count < k ? 0 : state[place] - anchor;
  const come = x - anchor;
  state[s + 2] += come - gone;
  state[s + 3] += come * come - gone * gone;
  state[place] = x;
  state[s] = count + 1;
  if (slot === k - 1) anchorAnew(state, s, k);
}

function anchorAnew(state: Float64Array, s: number, k: number): void {
  const anchor = state[s + 1] + state[s + 2] / k;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < k; i += 1) {
    const difference = state[s + SCORE_HEAD + i] - anchor;
    sum += difference;
    squares += difference * difference;
  }
  state[s + 1] = anchor;
  state[s + 2] = sum;
  state[s + 3] = squares;
}
