/** Operators without state: functions of values of the same row. */
import type { Build } from './operator.ts';

const one =
  (f: (x: number) => number): Build<unknown> =>
  (_, { of: [x], out }) =>
  (values) => {
    values[out] = f(values[x]);
  };

const two =
  (f: (a: number, b: number) => number): Build<unknown> =>
  (_, { of: [a, b], out }) =>
  (values) => {
    values[out] = f(values[a], values[b]);
  };

/** The value itself. */
export const buildField: Build<unknown> = (_, { of: [x], out }) => {
  return (values) => {
    values[out] = values[x];
  };
};

/** ln x; not known where x is not above 0. */
export const buildLog: Build<unknown> = one((x) => (x > 0 ? Math.log(x) : Number.NaN));

/** ln(1 + x); not known where x is not above -1. */
export const buildLog1p: Build<unknown> = one((x) => (x > -1 ? Math.log1p(x) : Number.NaN));

export const buildAbsolute: Build<unknown> = one(Math.abs);

/** Square root; not known where x is negative. */
export const buildRoot: Build<unknown> = one(Math.sqrt);

/** a * b. */
export const buildTimes: Build<unknown> = two((a, b) => a * b);

/** a - b. */
export const buildMinus: Build<unknown> = two((a, b) => a - b);

/** a / b; not known where b is 0. */
export const buildRatio: Build<unknown> = two((a, b) => (b === 0 ? Number.NaN : a / b));

/** a / b - 1; not known where b is 0. */
export const buildRelative: Build<unknown> = two((a, b) => (b === 0 ? Number.NaN : a / b - 1));

/** The middle of two values, such as bid and ask. */
export const buildMiddle: Build<unknown> = two((a, b) => (a + b) / 2);

/** (ask - bid) / middle: the quoted spread as a share of the price. Not known where the middle is not above 0. */
export const buildSpread: Build<unknown> = two((bid, ask) => {
  const middle = (bid + ask) / 2;
  return middle > 0 ? (ask - bid) / middle : Number.NaN;
});

/** (a - b) / (a + b), -1..1: which side of the book is thicker. 0 where both are 0. */
export const buildImbalance: Build<unknown> = two((a, b) => (a + b === 0 ? 0 : (a - b) / (a + b)));
