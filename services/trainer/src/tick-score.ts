import type { Model } from '@tideline/nn';
import { pinball, QUANTILES, quantilesOf, TICK_CONTEXT, TICK_HORIZONS } from '@tideline/streams';
import { evaluate } from './evaluate.ts';
import type { SeriesRows } from './series-rows.ts';

/** 10 %, 50 % and 90 % quantiles of the standard normal. */
const NORMAL = [-1.2815515655446004, 0, 1.2815515655446004] as const;

/** Kinds of series that are scored apart: a mean over all would hide where the model is no better than a baseline. */
const GROUPS: Readonly<Record<string, (key: string) => boolean>> = {
  'real, S&P 500 daily': (key) => key === 'SP500',
  'real, Apple daily': (key) => key === 'AAPL-DAILY',
  'real, five stocks monthly': (key) => !['SP500', 'AAPL-DAILY'].includes(key) && !key.startsWith('GEN'),
  generated: (key) => key.startsWith('GEN'),
};

export interface TickScore {
  readonly pinball: number;
  /** Quantiles of a normal distribution with the running volatility around the last value. */
  readonly normalPinball: number;
  /** The training part's own quantiles of its scaled returns: what a baseline knows that has seen the fat tails. */
  readonly empiricalPinball: number;
  /** Standard error of empiricalPinball - pinball, rows taken as independent. */
  readonly gainError: number;
  /** Share of returns inside q10..q90; 0.8 is right. */
  readonly coverage80: number;
  readonly rows: number;
}

/** Log return over the horizon in units of sigma * sqrt(horizon); NaN where the part ends before it. */
export function targetOf(one: SeriesRows, row: number, horizon: number, end: number): number {
  if (row + horizon >= end) return Number.NaN;
  const contextSize = one.context.length / one.rows;
  const price = (r: number): number => one.context[r * contextSize + TICK_CONTEXT.price];
  const sigma = one.context[row * contextSize + TICK_CONTEXT.sigma];
  return Math.log(price(row + horizon) / price(row)) / (sigma * Math.sqrt(horizon));
}

/** Scores of each group and horizon on the rows from share `test` of each series; baselines learn from those before share `train`. */
export function scoreTicks(
  series: readonly SeriesRows[],
  model: Model,
  shares: { readonly train: number; readonly test: number },
): Record<string, TickScore> {
  const outputs = new Map(series.map((one) => [one, evaluate(model, one.inputs, one.rows)]));
  const scores: Record<string, TickScore> = {};
  for (const [group, belongs] of Object.entries(GROUPS)) {
    const members = series.filter(({ key }) => belongs(key));
    TICK_HORIZONS.forEach((horizon, h) => {
      const empirical = empiricalQuantiles(members, horizon, shares.train);
      const rows = members.flatMap((one) =>
        testTargets(one, horizon, shares.test).map(({ row, y }) => ({
          y,
          q: quantilesOf(outputs.get(one) ?? [], row * model.spec.outputSize + 3 * h),
        })),
      );
      scores[`${group}, horizon ${horizon}`] = scoreRows(rows, empirical);
    });
  }
  return scores;
}

type ScoredRow = { readonly y: number; readonly q: readonly number[] };

function scoreRows(rows: readonly ScoredRow[], empirical: readonly number[]): TickScore {
  const gains = rows.map(({ y, q }) => meanPinball(y, empirical) - meanPinball(y, q));
  const gain = mean(gains);
  return {
    pinball: mean(rows.map(({ y, q }) => meanPinball(y, q))),
    normalPinball: mean(rows.map(({ y }) => meanPinball(y, NORMAL))),
    empiricalPinball: mean(rows.map(({ y }) => meanPinball(y, empirical))),
    gainError: Math.sqrt(mean(gains.map((value) => (value - gain) ** 2)) / rows.length),
    coverage80: mean(rows.map(({ y, q }) => (y >= q[0] && y <= q[2] ? 1 : 0))),
    rows: rows.length,
  };
}

function testTargets(one: SeriesRows, horizon: number, share: number): { readonly row: number; readonly y: number }[] {
  const found: { row: number; y: number }[] = [];
  for (let row = Math.floor(one.rows * share); row + horizon < one.rows; row += 1)
    found.push({ row, y: targetOf(one, row, horizon, one.rows) });
  return found;
}

function empiricalQuantiles(members: readonly SeriesRows[], horizon: number, share: number): number[] {
  const returns = members.flatMap((one) => {
    const end = Math.floor(one.rows * share);
    return Array.from({ length: Math.max(0, end - horizon) }, (_, row) => targetOf(one, row, horizon, end));
  });
  returns.sort((a, b) => a - b);
  return QUANTILES.map((quantile) => returns[Math.floor(quantile * returns.length)]);
}

function meanPinball(y: number, q: readonly number[]): number {
  return mean(QUANTILES.map((quantile, i) => pinball(quantile, y, q[i])));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
