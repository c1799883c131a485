/** Exponentially weighted running statistics. While a series is young the mean of all its values stands in: weight 1/n while that is larger. */
import { type Build, warmWeight } from './operator.ts';

export interface WeightParameters {
  /** Of the newest value, 0 to 1: 0.02 remembers about 50 rows. */
  readonly weight: number;
}

/** Running mean, the present value included. */
export const buildEwma: Build<WeightParameters> = ({ weight }, { of: [x], out, plan }) => {
  const offset = plan.state(2); // count, mean
  return (values, state, at) => {
    const s = at + offset;
    const value = values[x];
    if (Number.isNaN(value)) {
      values[out] = Number.NaN;
      return;
    }
    const count = state[s];
    state[s + 1] += warmWeight(weight, count) * (value - state[s + 1]);
    state[s] = count + 1;
    values[out] = state[s + 1];
  };
};

export interface VolatilityParameters extends WeightParameters {
  /** Deviation before anything is known. It counts as much as `prior_rows` rows. */
  readonly prior: number;
  readonly prior_rows: number;
  readonly floor: number;
  /** A value counts as this many deviations at most, so that a jump (a split, a bad print) does not blind the series for long. */
  readonly jump: number;
}

/** Running root mean square around zero, the present value included: the volatility, where the values are returns. Known from the first row on. */
export const buildVolatility: Build<VolatilityParameters> = (parameters, { of: [x], out, plan }) => {
  const { weight, prior, prior_rows: priorRows, floor, jump } = parameters;
  const offset = plan.state(2); // count, variance
  return (values, state, at) => {
    const s = at + offset;
    const count = state[s];
    const value = values[x];
    const variance = count === 0 ? prior * prior : state[s + 1];
    if (Number.isNaN(value)) {
      values[out] = Math.max(floor, Math.sqrt(variance));
      return;
    }
    const square = Math.min(value * value, variance * jump * jump);
    const next = variance + warmWeight(weight, count + priorRows) * (square - variance);
    state[s + 1] = next;
    state[s] = count + 1;
    values[out] = Math.max(floor, Math.sqrt(next));
  };
};

/** Running mean of the squares: an exponentially weighted realised variance, where the values are returns. */
export const buildEwVariance: Build<WeightParameters> = ({ weight }, { of: [x], out, plan }) => {
  const offset = plan.state(2); // count, mean square
  return (values, state, at) => {
    const s = at + offset;
    const value = values[x];
    if (Number.isNaN(value)) {
      values[out] = Number.NaN;
      return;
    }
    const count = state[s];
    state[s + 1] += warmWeight(weight, count) * (value * value - state[s + 1]);
    state[s] = count + 1;
    values[out] = state[s + 1];
  };
};

/** The value against the running mean and deviation of those before it (West 1979), the deviation at least `floor`. 0 for the first row. */
export const buildEwScore: Build<WeightParameters & { readonly floor: number }> = (
  parameters,
  { of: [x], out, plan },
) => {
  const { weight, floor } = parameters;
  const offset = plan.state(3); // count, mean, variance
  return (values, state, at) => {
    const s = at + offset;
    const value = values[x];
    if (Number.isNaN(value)) {
      values[out] = Number.NaN;
      return;
    }
    const count = state[s];
    const difference = value - state[s + 1];
    const deviation = Math.sqrt(state[s + 2]);
    values[out] = count === 0 ? 0 : difference / (deviation > floor ? deviation : floor);
    const share = warmWeight(weight, count);
    state[s + 1] += share * difference;
    state[s + 2] = (1 - share) * (state[s + 2] + share * difference * difference);
    state[s] = count + 1;
  };
};
