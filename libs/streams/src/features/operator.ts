/**
 * An online operator: one value a row from values of the same row and a fixed number of float64 values of state, which ride in the series' stream
 * state (zeros for a new series). O(1) a row, no allocation, event time only, so that the same rows give the same bits offline and online.
 *
 * A row's values stand in one array: its time, then its fields, then what operators made of them. NaN means "not known": an operator gives it where it
 * cannot say anything yet, takes no state from it, and hands it on.
 */

/** Writes one value of the row. `state` is that of all series, `at` the place of this series' first value. */
export type Advance = (values: Float64Array, state: Float64Array, at: number) => void;

/** Place of the row's event time among its values: epoch ms, with its fraction. */
export const TIME_PLACE = 0;

/** What an operator asks of the plan that it becomes part of. */
export interface PlanBuilder {
  /** Reserves state of the series; returns its offset from the series' first value. */
  state(size: number): number;
  /** Place of the value that `source` had `steps` rows ago, NaN where there was none. Operators that ask for the same share it. */
  lag(source: number, steps: number): number;
  /** Reserves the place of a value of which a point of measurement `alert` tells in every row where it is known. */
  alert(kind: string): number;
}

/** Parameters are checked by the operator's schema; `of` are the places of its sources, `out` is where its value goes. */
export type Build<Parameters> = (
  parameters: Parameters,
  place: { readonly of: readonly number[]; readonly out: number; readonly plan: PlanBuilder },
) => Advance;

/** During warm-up the mean of all values so far is better than an exponential one: weight 1/n while that is larger. */
export function warmWeight(weight: number, count: number): number {
  const even = 1 / (count + 1);
  return weight > even ? weight : even;
}
