/** Scores of quantile forecasts of log returns, pooled over series. */
import { pinball } from '@tideline/streams';
import type { Figures } from './result.ts';

/** One forecast and what came: log returns, and what they are measured in. */
export interface ScoredReturn {
  /** Of its series. */
  readonly key: string;
  readonly y: number;
  /** Ascending, one a level; empty: only the direction is forecast. */
  readonly quantiles: ArrayLike<number>;
  /** The middle quantile, or another point forecast. */
  readonly point: number;
  /** Unit of the series times the root of the horizon. */
  readonly unit: number;
  /** Mean absolute return over the horizon before the test: what the last value would have missed by; NaN: not known. */
  readonly naive: number;
}

/** `pinball` in units, `MASE` (R. Hyndman, A. Koehler, 2006) of log returns, hits of the direction and their MCC, coverage of the outermost interval. */
export function scoreReturns(rows: readonly ScoredReturn[], levels: readonly number[]): Figures {
  const figures: Record<string, number> = {};
  const intervals = rows.filter(({ quantiles }) => quantiles.length > 0);
  if (intervals.length > 0) {
    figures.pinball = mean(
      intervals,
      ({ y, quantiles, unit }) =>
        levels.reduce((sum, level, i) => sum + pinball(level, y / unit, quantiles[i] / unit), 0) / levels.length,
    );
    // A series that begins with the test has nothing to be measured by.
    const known = intervals.filter(({ naive }) => naive > 0);
    if (known.length > 0) figures.MASE = mean(known, ({ y, point, naive }) => Math.abs(y - point) / naive);
    figures[coverageName(levels)] =
      100 * mean(intervals, ({ y, quantiles }) => (y >= quantiles[0] && y <= quantiles[levels.length - 1] ? 1 : 0));
  }
  return { ...figures, ...directionFigures(rows) };
}

export function coverageName(levels: readonly number[]): string {
  return `coverage ${Number((100 * statedShare(levels)).toPrecision(6))} %`;
}

/** Share of truths that the outermost interval says it holds. */
export function statedShare(levels: readonly number[]): number {
  return levels[levels.length - 1] - levels[0];
}

/** Where nothing moved there is no direction; a forecast that does not move says none. */
function directionFigures(rows: readonly ScoredReturn[]): Figures {
  const moved = rows.filter(({ y, point }) => y !== 0 && point !== 0);
  if (moved.length === 0) return {};
  const { accuracy, mcc, up } = binaryFigures(moved.map(({ y, point }) => ({ said: point > 0, is: y > 0 })));
  return { 'direction %': 100 * accuracy, MCC: mcc, 'said up %': 100 * up };
}

/** Of answers yes or no: share that is right, Matthews' correlation coefficient (0 where all answers are the same), share of yes. */
export function binaryFigures(answers: readonly { readonly said: boolean; readonly is: boolean }[]): {
  readonly accuracy: number;
  readonly mcc: number;
  readonly up: number;
} {
  const count = (said: boolean, is: boolean): number =>
    answers.filter((one) => one.said === said && one.is === is).length;
  const [tp, fp, fn, tn] = [count(true, true), count(true, false), count(false, true), count(false, false)];
  const product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
  const n = answers.length;
  return {
    accuracy: (tp + tn) / n,
    mcc: product === 0 ? 0 : (tp * tn - fp * fn) / Math.sqrt(product),
    up: (tp + fp) / n,
  };
}

function mean<T>(rows: readonly T[], of: (row: T) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
}
