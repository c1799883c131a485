/**
 * Operators without state: functions of values of the same row. Each is written out: a shared closure over a function would call it through a pointer, and
 * every float that it returns would be allocated.
 */
import type { Build } from './operator.ts';

/** The value itself. */
export const buildField: Build<unknown> = (_, { of: [x], out }) => {
  return (values) => {
    values[out] = values[x];
  };
};

/** ln x; not known where x is not above 0. */
export const buildLog: Build<unknown> = (_, { of: [x], out }) => {
  return (values) => {
    values[out] = values[x] > 0 ? Math.log(values[x]) : Number.NaN;
  };
};

/** ln(1 + x); not known where x is not above -1. */
export const buildLog1p: Build<unknown> = (_, { of: [x], out }) => {
  return (values) => {
    values[out] = values[x] > -1 ? Math.log1p(values[x]) : Number.NaN;
  };
};

export const buildAbsolute: Build<unknown> = (_, { of: [x], out }) => {
  return (values) => {
    values[out] = Math.abs(values[x]);
  };
};

/** Square root; not known where x is negative. */
export const buildRoot: Build<unknown> = (_, { of: [x], out }) => {
  return (values) => {
    values[out] = Math.sqrt(values[x]);
  };
};

/** a * b. */
export const buildTimes: Build<unknown> = (_, { of: [a, b], out }) => {
  return (values) => {
    values[out] = values[a] * values[b];
  };
};

/** a - b. */
export const buildMinus: Build<unknown> = (_, { of: [a, b], out }) => {
  return (values) => {
    values[out] = values[a] - values[b];
  };
};

/** a / b; not known where b is 0. */
export const buildRatio: Build<unknown> = (_, { of: [a, b], out }) => {
  return (values) => {
    values[out] = values[b] === 0 ? Number.NaN : values[a] / values[b];
  };
};

/** a / b - 1; not known where b is 0. */
export const buildRelative: Build<unknown> = (_, { of: [a, b], out }) => {
  return (values) => {
    values[out] = values[b] === 0 ? Number.NaN : values[a] / values[b] - 1;
  };
};

/** The middle of two values, such as bid and ask. */
export const buildMiddle: Build<unknown> = (_, { of: [a, b], out }) => {
  return (values) => {
    values[out] = (values[a] + values[b]) / 2;
  };
};

/** (ask - bid) / middle: the quoted spread as a share of the price. Not known where the middle is not above 0. */
export const buildSpread: Build<unknown> = (_, { of: [bid, ask], out }) => {
  return (values) => {
    const middle = (values[bid] + values[ask]) / 2;
    values[out] = middle > 0 ? (values[ask] - values[bid]) / middle : Number.NaN;
  };
};

/** (a - b) / (a + b), -1..1: which side of the book is thicker. 0 where both are 0. */
export const buildImbalance: Build<unknown> = (_, { of: [a, b], out }) => {
  return (values) => {
    const sum = values[a] + values[b];
    values[out] = sum === 0 ? 0 : (values[a] - values[b]) / sum;
  };
};
