/** Forecasts of calls against what came, on the days of the test. */
import { pinball, VOLUME_LEVELS } from '@tideline/streams';
import type { Figures } from '../backtest/result.ts';

export interface ScoredVolume {
  readonly came: number;
  readonly forecast: number;
  /** Absent of a baseline without an interval. */
  readonly interval?: readonly [low: number, high: number];
}

/** MAE, RMSE, WAPE (error as a share of the calls), and of forecasts with an interval its coverage (%) and the mean pinball loss. */
export function scoreVolume(rows: readonly ScoredVolume[]): Figures {
  const mean = (of: (row: ScoredVolume) => number): number => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const mae = mean(({ came, forecast }) => Math.abs(came - forecast));
  const points = {
    MAE: mae,
    RMSE: Math.sqrt(mean(({ came, forecast }) => (came - forecast) ** 2)),
    'WAPE %': (100 * mae) / mean(({ came }) => came),
  };
  if (!rows.every(({ interval }) => interval)) return points;
  const quantiles = ({ forecast, interval: [low, high] = [Number.NaN, Number.NaN] }: ScoredVolume): number[] => [
    low,
    forecast,
    high,
  ];
  return {
    ...points,
    'coverage 80 %': 100 * mean((row) => (row.came >= quantiles(row)[0] && row.came <= quantiles(row)[2] ? 1 : 0)),
    pinball: mean((row) => {
      const q = quantiles(row);
      return VOLUME_LEVELS.reduce((sum, level, i) => sum + pinball(level, row.came, q[i]), 0) / VOLUME_LEVELS.length;
    }),
  };
}
