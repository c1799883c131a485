import { normalQuantile } from '../normal-quantile.ts';
import type { QuantileTask } from '../quantile-task.ts';
import { RETURN_BASELINES, type ReturnForecast } from './return-baselines.ts';
import type { ReturnSeries } from './return-series.ts';
import type { ScoredReturn } from './score-returns.ts';
import { type Fold, rowsBefore } from './walk-forward.ts';

/** What a fold's forecasts are scored on. */
export interface FoldScoring {
  readonly task: QuantileTask;
  readonly series: readonly ReturnSeries[];
  /** Steps of a series before its first forecast. */
  readonly warmUp: number;
  readonly season: number | null;
  readonly fold: Fold;
  readonly horizon: number;
}

/** Quantiles of the log return (none: only a direction), and the point forecast; null: no forecast of this row. */
export type Said = (one: ReturnSeries, row: number) => Pick<ScoredReturn, 'quantiles' | 'point'> | null;

/** Every test row of the fold that has a forecast and a truth. */
export function scoreFold({ series, warmUp, fold, horizon }: FoldScoring, said: Said): ScoredReturn[] {
  const found: ScoredReturn[] = [];
  for (const one of series) {
    const naive = meanMove(one, rowsBefore(one.timeMs, fold.testMs), horizon);
    const end = Math.min(rowsBefore(one.timeMs, fold.endMs), one.rows - horizon);
    for (let row = Math.max(warmUp, rowsBefore(one.timeMs, fold.testMs)); row < end; row += 1) {
      const y = one.log[row + horizon] - one.log[row];
      const unit = one.unit[row] * Math.sqrt(horizon);
      const forecast = Number.isFinite(y) && Number.isFinite(unit) ? said(one, row) : null;
      if (forecast) found.push({ key: one.key, y, unit, naive, ...forecast });
    }
  }
  return found;
}

/** Mean absolute return over the horizon before `end`; NaN where nothing moved or nothing is known. */
function meanMove({ log }: ReturnSeries, end: number, horizon: number): number {
  let [sum, rows] = [0, 0];
  for (let row = 0; row + horizon < end; row += 1) {
    const move = Math.abs(log[row + horizon] - log[row]);
    if (!Number.isFinite(move)) continue;
    sum += move;
    rows += 1;
  }
  return sum > 0 ? sum / rows : Number.NaN;
}

/** The baselines that apply, each fitted on the rows before the fold's test; their quantiles are those of their own errors there. */
export function baselinesOf(scoring: FoldScoring): { readonly name: string; readonly said: Said }[] {
  const { task, series, fold, horizon, season } = scoring;
  const part = { end: (one: ReturnSeries) => rowsBefore(one.timeMs, fold.testMs) };
  const points = RETURN_BASELINES.flatMap(({ name, fit }) => {
    const forecast = fit({ series, horizon, part, season });
    return forecast ? [{ name, said: withQuantiles(scoring, forecast) }] : [];
  });
  const normal = task.levels.map(normalQuantile);
  return [
    ...points,
    {
      name: 'normal around the last value',
      said: ({ unit }, row) => ({ quantiles: normal.map((q) => q * unit[row] * Math.sqrt(horizon)), point: 0 }),
    },
    { name: 'always up', said: () => ({ quantiles: [], point: 1 }) },
  ];
}

/** Adds the errors' empirical quantiles, in units, over all series. */
function withQuantiles({ task, series, warmUp, fold, horizon }: FoldScoring, forecast: ReturnForecast): Said {
  const errors: number[] = [];
  for (const one of series) {
    const end = rowsBefore(one.timeMs, fold.testMs) - horizon;
    for (let row = warmUp; row < end; row += 1) {
      const error = (one.log[row + horizon] - one.log[row] - forecast(one, row)) / (one.unit[row] * Math.sqrt(horizon));
      if (Number.isFinite(error)) errors.push(error);
    }
  }
  const sorted = Float64Array.from(errors).sort();
  const quantiles = task.levels.map((level) => sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]);
  return (one, row) => {
    const point = forecast(one, row);
    if (!Number.isFinite(point) || sorted.length === 0) return null;
    return { point, quantiles: quantiles.map((q) => point + q * one.unit[row] * Math.sqrt(horizon)) };
  };
}
