/**
 * Prices stand on a grid of ticks, so returns over a short time are a few values with much probability each. The quantile of such a distribution is one of
 * its values, and no quantile has exactly its level beyond it: a value is inside an interval or outside with all of its probability. Here a quantile is put
 * on the nearest tick, and by a billionth beyond it or short of it, whichever brings the share of truths beyond it back to its level. Chance, which the
 * textbook takes for ties, is not needed for that, and a replay must not have it: the debt of truths rides in the state.
 *
 * State of a series: the number of its values, and the share of them that are multiples of each step; of a horizon: a debt a level.
 */

/** 1, 2 and 5 times powers of ten, falling. */
const STEPS: readonly number[] = [1, 0, -1, -2, -3, -4, -5].flatMap((power) =>
  [5, 2, 1].map((digit) => Number(`${digit}e${power}`)),
);
const VALUES = 0;
const SHARES = 1;
export const TICK_GRID_SIZE = SHARES + STEPS.length;
const SHARE_WEIGHT = 0.002;
const VALUES_MIN = 30;
/** Prices between ticks (midpoints, averages) are many: this share of values on the grid is enough. */
const SHARE_MIN = 0.75;
/** Of a step. */
const TOLERANCE = 1e-4;
/** Of the value: far above the rounding of logarithms, far below a tick. */
const BESIDE = 1e-9;
/** Horizons' lengths that a debt is at most. */
const DEBT_MAX = 3;

/** Takes the value into the shares. */
export function observeTick(state: Float64Array, at: number, value: number): void {
  if (!Number.isFinite(value)) return;
  state[at + VALUES] += 1;
  const share = Math.max(SHARE_WEIGHT, 1 / state[at + VALUES]);
  for (let i = 0; i < STEPS.length; i += 1) {
    const steps = value / STEPS[i];
    const isOn = Math.abs(steps - Math.round(steps)) < TOLERANCE ? 1 : 0;
    state[at + SHARES + i] += share * (isOn - state[at + SHARES + i]);
  }
}

/** The largest step that most values are multiples of; 0: none. */
export function tickOf(state: Float64Array, at: number): number {
  if (state[at + VALUES] < VALUES_MIN) return 0;
  for (let i = 0; i < STEPS.length; i += 1) if (state[at + SHARES + i] >= SHARE_MIN) return STEPS[i];
  return 0;
}

/** Puts the quantiles, log returns from `value` that rise, on the grid; they stay in order. `debtsAt`: the horizon's debts in `state`. */
export function putOnTicks(
  state: Float64Array,
  debtsAt: number,
  quantiles: Float64Array,
  { value, tick, middle }: { readonly value: number; readonly tick: number; readonly middle: number },
): void {
  for (let i = 0; i < quantiles.length; i += 1) {
    const price = Math.round((value * Math.exp(quantiles[i])) / tick) * tick;
    if (!(price > 0)) continue;
    const outwards = i === middle ? 0 : (i < middle ? -1 : 1) * (state[debtsAt + i] > 0 ? 1 : -1);
    quantiles[i] = Math.log(price / value) + outwards * BESIDE;
  }
  for (let i = middle - 1; i >= 0; i -= 1) quantiles[i] = Math.min(quantiles[i], quantiles[i + 1]);
  for (let i = middle + 1; i < quantiles.length; i += 1) quantiles[i] = Math.max(quantiles[i], quantiles[i - 1]);
}

/**
 * Counts a truth: a quantile that has had more beyond it than its level says is in debt. `weight`: rows that it stands for; `divisor`: rows in the horizon's
 * length.
 */
export function oweTick(
  state: Float64Array,
  debtsAt: number,
  levels: readonly number[],
  one: {
    readonly values: Float64Array;
    readonly quantilesAt: number;
    readonly middle: number;
    readonly truth: number;
    readonly weight: number;
    readonly divisor: number;
  },
): void {
  const { values, quantilesAt, middle, weight, truth, divisor } = one;
  for (let i = 0; i < levels.length; i += 1) {
    if (i === middle) continue;
    const isLower = i < middle;
    const quantile = values[quantilesAt + i];
    const isBeyond = isLower ? truth < quantile : truth > quantile;
    const owed = state[debtsAt + i] + (weight / divisor) * ((isBeyond ? 1 : 0) - (isLower ? levels[i] : 1 - levels[i]));
    state[debtsAt + i] = Math.max(-DEBT_MAX, Math.min(DEBT_MAX, owed));
  }
}
