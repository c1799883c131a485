/** What changed since an earlier row of the series. */
import type { Advance, Build } from './operator.ts';

/** How many rows the series has had, this one included. */
export const buildCount: Build<unknown> = (_, { out, plan }) => {
  const offset = plan.state(1);
  return (values, state, at) => {
    state[at + offset] += 1;
    values[out] = state[at + offset];
  };
};

export interface LagParameters {
  /** Rows back. */
  readonly steps: number;
}

/** ln(x / x[-steps]). Not known where there was no such row or a value is not above 0. */
export const buildLogReturn: Build<LagParameters> = ({ steps }, { of: [x], out, plan }) => {
  const before = plan.lag(x, steps);
  return (values) => {
    const ratio = values[x] / values[before];
    values[out] = ratio > 0 ? Math.log(ratio) : Number.NaN;
  };
};

/** x - x[-steps]. */
export const buildChange: Build<LagParameters> = ({ steps }, { of: [x], out, plan }) => {
  const before = plan.lag(x, steps);
  return (values) => {
    values[out] = values[x] - values[before];
  };
};

/** Sign of x - x[-steps]: -1, 0, 1. */
export const buildSignChange: Build<LagParameters> = ({ steps }, { of: [x], out, plan }) => {
  const before = plan.lag(x, steps);
  return (values) => {
    values[out] = Math.sign(values[x] - values[before]);
  };
};

/** x[-steps] itself. */
export const buildLag: Build<LagParameters> = ({ steps }, { of: [x], out, plan }) => {
  const before = plan.lag(x, steps);
  return (values) => {
    values[out] = values[before];
  };
};

/** State of a lag: how many values were known, and the last `steps` of them, the next to be replaced at count modulo steps. */
export function lagStateSize(steps: number): number {
  return 1 + steps;
}

/** Gives the value of `steps` known rows ago and keeps the present one. */
export function lagAdvance(source: number, out: number, steps: number, offset: number): Advance {
  if (steps === 1)
    return (values, state, at) => {
      const s = at + offset;
      values[out] = state[s] === 0 ? Number.NaN : state[s + 1];
      const x = values[source];
      if (Number.isNaN(x)) return; // NaN: nothing is known of this row
      state[s] = 1;
      state[s + 1] = x;
    };
  return (values, state, at) => {
    const s = at + offset;
    const count = state[s];
    const place = s + 1 + (count % steps);
    values[out] = count < steps ? Number.NaN : state[place];
    const x = values[source];
    if (Number.isNaN(x)) return;
    state[place] = x;
    state[s] = count + 1;
  };
}
