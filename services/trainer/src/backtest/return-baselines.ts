/** What a forecast of a series' log return over some steps has to beat. Each is fitted on rows before the test only. */
import { leastSquares } from '../least-squares.ts';
import type { Part, ReturnSeries } from './return-series.ts';

/** Forecasts the log return over `horizon` steps, from what is known at `row`; NaN: nothing. */
export type ReturnForecast = (one: ReturnSeries, row: number) => number;

export interface Fitting {
  readonly series: readonly ReturnSeries[];
  readonly horizon: number;
  /** Rows that may be learnt from: their targets too lie in it. */
  readonly part: Part;
  /** Steps of a season; null: there is none. */
  readonly season: number | null;
}

export interface ReturnBaseline {
  readonly name: string;
  readonly fit: (fitting: Fitting) => ReturnForecast | null;
}

const AR_ORDER = 5;
/** Daily, weekly, monthly, as in F. Corsi, "A Simple Approximate Long-Memory Model of Realized Volatility", Journal of Financial Econometrics 7(2), 2009. */
const HAR_ROWS = [1, 5, 22] as const;
const FIT_ROWS_MIN = 60;

export const RETURN_BASELINES: readonly ReturnBaseline[] = [
  { name: 'last value', fit: () => () => 0 },
  { name: 'drift', fit: fitDrift },
  { name: 'seasonal naive', fit: fitSeasonal },
  { name: 'EWMA', fit: fitEwma },
  { name: `AR(${AR_ORDER})`, fit: (fitting) => fitLinear(fitting, AR_ORDER, pastReturns) },
  { name: `HAR(${HAR_ROWS.join(', ')})`, fit: (fitting) => fitLinear(fitting, HAR_ROWS.length, pastMeans) },
];

/** R. Hyndman, G. Athanasopoulos, "Forecasting: Principles and Practice", 5.2: the line from the first to the last known value. */
function fitDrift({ series, horizon, part }: Fitting): ReturnForecast {
  const slopes = new Map(
    series.map((one) => {
      const end = part.end(one);
      return [one, end < 2 ? 0 : (one.log[end - 1] - one.log[0]) / (end - 1)];
    }),
  );
  return (one) => horizon * (slopes.get(one) ?? 0);
}

function fitSeasonal({ horizon, season }: Fitting): ReturnForecast | null {
  if (season === null) return null;
  const back = season * Math.ceil(horizon / season);
  return (one, row) => (row + horizon < back ? Number.NaN : one.log[row + horizon - back] - one.log[row]);
}

/** The exponential mean of the logs with the weight whose absolute error is least. */
function fitEwma({ series, horizon, part }: Fitting): ReturnForecast {
  const errorOf = (means: ReadonlyMap<ReturnSeries, Float64Array>): number => {
    let [sum, rows] = [0, 0];
    for (const [one, mean] of means)
      for (let row = 0; row + horizon < part.end(one); row += 1) {
        sum += Math.abs(one.log[row + horizon] - mean[row]);
        rows += 1;
      }
    return sum / rows;
  };
  const candidates = Array.from({ length: 9 }, (_, i) => {
    const means = new Map(series.map((one) => [one, exponentialMean(one.log, (i + 1) / 10)]));
    return { means, error: errorOf(means) };
  });
  const { means } = candidates.reduce((best, one) => (one.error < best.error ? one : best));
  return (one, row) => (means.get(one)?.[row] ?? Number.NaN) - one.log[row];
}

function exponentialMean(values: Float64Array, weight: number): Float64Array {
  const mean = Float64Array.from(values);
  for (let i = 1; i < mean.length; i += 1) mean[i] = mean[i - 1] + weight * (values[i] - mean[i - 1]);
  return mean;
}

/** Writes what is known at `row` into `x` from `at`; false where it is not. */
type Regressors = (one: ReturnSeries, row: number, x: Float64Array, at: number) => boolean;

/** The return over the horizon, in the row's unit, regressed on what is known: series by series, or none where one is too short. */
function fitLinear({ series, horizon, part }: Fitting, size: number, regressors: Regressors): ReturnForecast | null {
  const columns = size + 1;
  const fitted = new Map<ReturnSeries, Float64Array>();
  for (const one of series) {
    const end = part.end(one) - horizon;
    const x: Float64Array = new Float64Array(Math.max(0, end) * columns);
    const y: number[] = [];
    for (let row = 0; row < end; row += 1) {
      const target = (one.log[row + horizon] - one.log[row]) / one.unit[row];
      x[y.length * columns] = 1;
      if (Number.isFinite(target) && regressors(one, row, x, y.length * columns + 1)) y.push(target);
    }
    if (y.length >= FIT_ROWS_MIN) fitted.set(one, leastSquares(x.subarray(0, y.length * columns), y, { columns }));
  }
  if (fitted.size === 0) return null;
  const known = new Float64Array(size);
  return (one, row) => {
    const b = fitted.get(one);
    if (b === undefined || !regressors(one, row, known, 0)) return 0;
    return one.unit[row] * known.reduce((sum, value, i) => sum + b[i + 1] * value, b[0]);
  };
}

function pastReturns({ log, unit }: ReturnSeries, row: number, x: Float64Array, at: number): boolean {
  if (row < AR_ORDER) return false;
  for (let i = 0; i < AR_ORDER; i += 1) {
    x[at + i] = (log[row - i] - log[row - i - 1]) / unit[row];
    if (!Number.isFinite(x[at + i])) return false;
  }
  return true;
}

function pastMeans({ log, unit }: ReturnSeries, row: number, x: Float64Array, at: number): boolean {
  for (let i = 0; i < HAR_ROWS.length; i += 1) {
    const rows = HAR_ROWS[i];
    if (row + 1 < rows) return false;
    let sum = 0;
    for (let k = 0; k < rows; k += 1) sum += Math.exp(log[row - k] - log[row]);
    // The level itself first: how far it is from where it usually is. Then the means, relative to it.
    x[at + i] = (rows === 1 ? log[row] : Math.log(sum / rows)) / unit[row];
    if (!Number.isFinite(x[at + i])) return false;
  }
  return true;
}
