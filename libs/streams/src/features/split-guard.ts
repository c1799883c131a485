import type { Build } from './operator.ts';

export interface SplitGuardParameters {
  /** A log return beyond this, up or down, is taken for a split or a large dividend, not for a movement: 0.4 is a third down or a half up. */
  readonly jump: number;
}

/**
 * The series without its splits: x times a factor which at every jump changes so that the series goes on from where it was. The return over a jump is
 * so 0: what part of it was movement, nobody can tell from prices alone; a column of adjusted prices can. `jumped` gets x / x' there, NaN elsewhere.
 */
export const buildSplitGuard: Build<SplitGuardParameters> = ({ jump }, { of: [x], out, plan }) => {
  const offset = plan.state(2); // the value before; the factor, less 1: a new series begins with zeros
  const jumped = plan.alert('jump');
  const [high, low] = [Math.exp(jump), Math.exp(-jump)];
  return (values, state, at) => {
    const s = at + offset;
    const value = values[x];
    values[jumped] = Number.NaN;
    if (!(value > 0)) {
      values[out] = Number.NaN;
      return;
    }
    const ratio = state[s] === 0 ? 1 : value / state[s];
    if (ratio > high || ratio < low) {
      values[jumped] = ratio;
      state[s + 1] = (state[s + 1] + 1) / ratio - 1;
    }
    state[s] = value;
    values[out] = value * (state[s + 1] + 1);
  };
};
