/** Scores of quantile forecasts over time, and what anybody could say without a network. */
import { pinball } from '@tideline/streams';
import { leastSquares } from '../least-squares.ts';
import { normalQuantile } from '../normal-quantile.ts';

/** Quantiles of the log return that a row forecasts, rising. */
export type Said = (row: number) => ArrayLike<number>;

export interface Scoring {
  /** Rows that are scored. */
  readonly rows: readonly number[];
  /** Log return that came, by row; NaN: not known. */
  readonly truth: Float64Array;
  readonly timeMs: Float64Array;
}

const HOUR_MS = 3_600_000;

/** Mean pinball loss over rows and levels. */
export function meanPinball(said: Said, { rows, truth }: Scoring, levels: readonly number[]): number {
  let sum = 0;
  for (const row of rows) {
    const q = said(row);
    for (let i = 0; i < levels.length; i += 1) sum += pinball(levels[i], truth[row], q[i]);
  }
  return sum / (rows.length * levels.length);
}

/** Losses of forecasts this near to each other in time come and go together. */
const BLOCK_MS = 600_000;
const BLOCKS_MIN = 10;

/**
 * Standard error of the ratio of two mean pinball losses over the same rows, by blocks of ten minutes (of a tenth, where that is shorter): how far another
 * day might have moved it. W. Cochran, "Sampling Techniques", 1977, chapter 9A: the ratio estimator of clusters of unequal sizes.
 */
export function ratioError(
  ours: Said,
  theirs: Said,
  { rows, truth, timeMs }: Scoring,
  levels: readonly number[],
): number {
  const losses = new Map<number, { ours: number; theirs: number }>();
  const lossOf = (q: ArrayLike<number>, row: number): number =>
    levels.reduce((sum, level, i) => sum + pinball(level, truth[row], q[i]), 0);
  const begin = timeMs[rows[0]];
  const lengthMs = Math.min(BLOCK_MS, (timeMs[rows[rows.length - 1]] - begin + 1) / BLOCKS_MIN);
  for (const row of rows) {
    const block = Math.floor((timeMs[row] - begin) / lengthMs);
    const one = losses.get(block) ?? { ours: 0, theirs: 0 };
    losses.set(block, { ours: one.ours + lossOf(ours(row), row), theirs: one.theirs + lossOf(theirs(row), row) });
  }
  const blocks = [...losses.values()];
  const sumOf = (of: (block: (typeof blocks)[number]) => number): number =>
    blocks.reduce((sum, one) => sum + of(one), 0);
  const theirSum = sumOf((one) => one.theirs);
  const ratio = sumOf((one) => one.ours) / theirSum;
  const squares = sumOf((one) => (one.ours - ratio * one.theirs) ** 2);
  return Math.sqrt((squares * blocks.length) / (blocks.length - 1)) / theirSum;
}

/** Share of truths within the outermost quantiles: of all, and hour by hour from the first row on; less than half an hour at the end belongs to the last. */
export function hoursOf(
  said: Said,
  { rows, truth, timeMs }: Scoring,
): { readonly all: number; readonly shares: readonly number[] } {
  const begin = timeMs[rows[0]];
  const length = timeMs[rows[rows.length - 1]] - begin;
  const count = Math.max(1, Math.round(length / HOUR_MS));
  const inside = new Float64Array(count);
  const total = new Float64Array(count);
  for (const row of rows) {
    const hour = Math.min(count - 1, Math.floor((timeMs[row] - begin) / HOUR_MS));
    const q = said(row);
    total[hour] += 1;
    if (truth[row] >= q[0] && truth[row] <= q[q.length - 1]) inside[hour] += 1;
  }
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  const shares = Array.from(inside, (value, hour) => value / total[hour]).filter((_, hour) => total[hour] > 0);
  return { all: sum(inside) / sum(total), shares };
}

export interface Baseline {
  readonly name: string;
  readonly said: Said;
  readonly pinball: number;
}

/** Returns that the autoregression looks back on. */
const AR_ORDER = 5;
/** Truths that the running quantiles look back on. */
const WINDOW = 500;

/**
 * The last value, with: quantiles of the returns before the test; the same in units of the running volatility; a normal distribution of it; quantiles of the
 * newest returns whose truth is known. And an autoregression of the horizon's return on the newest returns, in units of the running volatility, with the
 * quantiles of its errors. `unit`: volatility of a row; `fitted`: first row of the test; `aims`: row that each row's truth is known at; `log`: of the value.
 */
export function baselinesOf(
  of: Scoring & {
    readonly aims: readonly number[];
    readonly log: Float64Array;
    readonly unit: Float64Array;
    readonly fitted: number;
    readonly levels: readonly number[];
  },
): Baseline[] {
  const { truth, aims, unit, fitted, levels } = of;
  const known = Array.from({ length: fitted }, (_, row) => row).filter((row) => aims[row] < fitted && unit[row] > 0);
  const plain = quantilesOf(
    known.map((row) => truth[row]),
    levels,
  );
  const scaled = quantilesOf(
    known.map((row) => truth[row] / unit[row]),
    levels,
  );
  const deviation = Math.sqrt(known.reduce((sum, row) => sum + (truth[row] / unit[row]) ** 2, 0) / known.length);
  const normal = levels.map((level) => normalQuantile(level) * deviation);
  const named: readonly (readonly [string, Said])[] = [
    ['last value, quantiles of the training part', () => plain],
    ['last value, its quantiles in running volatility', (row) => scaled.map((q) => q * unit[row])],
    ['last value, normal with running volatility', (row) => normal.map((q) => q * unit[row])],
    [`last value, quantiles of the newest ${WINDOW}`, runningQuantiles(of)],
    [`AR(${AR_ORDER}), its errors' quantiles in running volatility`, autoregression(of, known)],
  ];
  return named.map(([name, said]) => ({ name, said, pinball: meanPinball(said, of, levels) }));
}

/** Fitted on the rows `known`. */
function autoregression(
  { truth, log, unit, levels }: Parameters<typeof baselinesOf>[0],
  known: readonly number[],
): Said {
  const columns = AR_ORDER + 1;
  const rows = known.filter((row) => row >= AR_ORDER);
  const past = (row: number): number[] => [
    1,
    ...Array.from({ length: AR_ORDER }, (_, i) => (log[row - i] - log[row - i - 1]) / unit[row]),
  ];
  const x = Float64Array.from(rows.flatMap(past));
  const y = rows.map((row) => truth[row] / unit[row]);
  const weights = leastSquares(x, y, { columns });
  const centre = (row: number): number => past(row).reduce((sum, value, i) => sum + weights[i] * value, 0);
  const errors = quantilesOf(
    rows.map((row, i) => y[i] - centre(row)),
    levels,
  );
  return (row) => {
    const at = centre(row);
    return errors.map((error) => (at + error) * unit[row]);
  };
}

function quantilesOf(values: readonly number[], levels: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return levels.map((level) => sorted[Math.floor(level * sorted.length)]);
}

function runningQuantiles({
  rows,
  truth,
  aims,
  levels,
}: Scoring & { readonly aims: readonly number[]; readonly levels: readonly number[] }): Said {
  const said = new Map<number, number[]>();
  let newest = -1;
  for (const row of rows) {
    while (newest + 1 < row && aims[newest + 1] <= row) newest += 1;
    said.set(row, quantilesOf([...truth.subarray(Math.max(0, newest + 1 - WINDOW), newest + 1)], levels));
  }
  return (row) => said.get(row) ?? [];
}
