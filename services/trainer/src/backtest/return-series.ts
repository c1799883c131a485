import type { QuantileTask } from '../quantile-task.ts';

/** A series as its forecasts see it: the log of the value, and the unit that a return is measured in. */
export interface ReturnSeries {
  readonly key: string;
  readonly rows: number;
  readonly timeMs: Float64Array;
  /** NaN where the value is not known. */
  readonly log: Float64Array;
  /** 1 where the stream declares none; NaN where it is not known yet. */
  readonly unit: Float64Array;
}

/** Rows of a series from its first on. */
export interface Part {
  readonly end: (one: ReturnSeries) => number;
}

/** From rows with their context, [rows][contextSize]. */
export function returnSeries(
  { valueAt, unitAt }: QuantileTask,
  one: { readonly key: string; readonly rows: number; readonly timeMs: Float64Array; readonly context: Float64Array },
): ReturnSeries {
  const { key, rows, timeMs, context } = one;
  const contextSize = context.length / rows;
  const column = (at: number): Float64Array =>
    Float64Array.from({ length: rows }, (_, row) => context[row * contextSize + at]);
  const unit = unitAt === -1 ? new Float64Array(rows).fill(1) : column(unitAt);
  return {
    ...{ key, rows, timeMs },
    log: column(valueAt).map((value) => (value > 0 ? Math.log(value) : Number.NaN)),
    unit: unit.map((value) => (value > 0 ? value : Number.NaN)),
  };
}
