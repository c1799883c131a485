/** Learning the quantiles of a log return over horizons in steps or in time: targets, training sequences, scores against baselines. */
import { type Model, middleOf, type RowEntries, type TrainingSequence, writeQuantiles } from '@tideline/nn';
import { type HorizonUnit, horizonName, pinball, quantileLoss, spanMsOf, stepsWithin } from '@tideline/streams';
import { evaluate } from './evaluate.ts';
import { normalQuantile } from './normal-quantile.ts';
import type { SeriesRows } from './series-rows.ts';

export interface QuantileTask {
  readonly horizons: readonly number[];
  /** What horizons are counted in. */
  readonly per: HorizonUnit;
  readonly levels: readonly number[];
  /** Place in a row's context of the value whose log return is learnt. */
  readonly valueAt: number;
  /** Place in a row's context of the unit of a return, which is multiplied by the root of the steps in the horizon; -1: the return itself. */
  readonly unitAt: number;
  /** Place in a row's context of the mean time between two steps. */
  readonly meanGapAt: number;
  /** Row of a series in the model's trained table; absent: it has none. */
  readonly bucketOf?: (key: string) => number;
}

/** Shares of each series in time order: training, then validation (chooses the epoch), then test (reported only). */
export const TRAIN_SHARE = 0.7;
export const TEST_SHARE = 0.85;
/** Long series are cut, so that an epoch has many sequences side by side. */
const SEGMENT_ROWS = 512;

/** Log return over the horizon in its unit; NaN where the part ends before it or a value is not known. */
export function targetOf(
  task: QuantileTask,
  one: SeriesRows,
  at: { readonly row: number; readonly horizon: number; readonly end: number },
): number {
  const { row, horizon, end } = at;
  const contextSize = one.context.length / one.rows;
  const spanMs = spanMsOf(horizon, task.per);
  const steps = stepsWithin(horizon, spanMs, one.context[row * contextSize + task.meanGapAt]);
  const aim = aimOf(one.timeMs, row, horizon, spanMs);
  if (aim >= end) return Number.NaN;
  const value = (r: number): number => one.context[r * contextSize + task.valueAt];
  const unit = task.unitAt === -1 ? 1 : one.context[row * contextSize + task.unitAt];
  const target = Math.log(value(aim) / value(row)) / (unit * Math.sqrt(steps));
  return Number.isFinite(target) ? target : Number.NaN;
}

/** The row that a forecast of `row` speaks of: so many rows later, or the first at its time or after it. Behind the last row: not there. */
export function aimOf(timeMs: Float64Array, row: number, horizon: number, spanMs: number | null): number {
  if (spanMs === null) return row + horizon;
  const target = timeMs[row] + spanMs;
  let aim = row + 1;
  while (aim < timeMs.length && timeMs[aim] < target) aim += 1;
  return aim;
}

/** Rows that the end of a part has no truth for, at least. */
export function marginRows({ horizons, per }: Pick<QuantileTask, 'horizons' | 'per'>): number {
  return per === 'steps' ? Math.max(...horizons) : 1;
}

/** Rows [from, to) of a series, as shares of its length, cut into segments. */
export function segmentsOf(task: QuantileTask, one: SeriesRows, from: number, to: number): TrainingSequence[] {
  return segmentsBetween(task, one, { first: Math.floor(one.rows * from), end: Math.floor(one.rows * to) });
}

/** Rows [first, end) of a series cut into segments; a segment's target may lie behind its end but not behind `end`. */
export function segmentsBetween(
  task: QuantileTask,
  one: SeriesRows,
  { first, end }: { readonly first: number; readonly end: number },
): TrainingSequence[] {
  const inputSize = one.inputs.length / one.rows;
  const found: TrainingSequence[] = [];
  const bucket = task.bucketOf?.(one.key);
  for (let start = first; start < end; start += SEGMENT_ROWS) {
    const rows = Math.min(SEGMENT_ROWS, end - start);
    const targets = Array.from({ length: rows }, (_, row) =>
      Float64Array.from(task.horizons, (horizon) => targetOf(task, one, { row: start + row, horizon, end })),
    );
    found.push({
      name: `${one.key} from row ${start}`,
      inputs: one.inputs.subarray(start * inputSize, (start + rows) * inputSize),
      rows,
      ...(bucket === undefined ? {} : { entries: sameEntry(bucket, rows) }),
      loss: (outputs, row, gradient) =>
        targets[row].every(Number.isNaN) ? null : quantileLoss(outputs, targets[row], task.levels, gradient),
    });
  }
  return found;
}

/** One entry of the table in every row. */
function sameEntry(entry: number, rows: number): RowEntries {
  return {
    starts: Uint32Array.from({ length: rows + 1 }, (_, row) => row),
    entries: new Uint32Array(rows).fill(entry),
  };
}

export interface QuantileScore {
  readonly pinball: number;
  /** Quantiles of a normal distribution with the unit as its deviation around the last value. */
  readonly normalPinball: number;
  /** The training part's own quantiles of its scaled returns: what a baseline knows that has seen the fat tails. */
  readonly empiricalPinball: number;
  /** Standard error of empiricalPinball - pinball, rows taken as independent. */
  readonly gainError: number;
  /** Share of returns inside the outermost levels, named after what is right: `coverage80` between 10 % and 90 %. */
  readonly [coverage: `coverage${number}`]: number;
  readonly rows: number;
}

/** Kinds of series that are scored apart: a mean over all would hide where the model is no better than a baseline. */
export type SeriesGroups = Readonly<Record<string, (key: string) => boolean>>;

/** Scores of each group and horizon on the last part of each series; baselines learn from the first. */
export function scoreQuantiles(
  task: QuantileTask,
  series: readonly SeriesRows[],
  model: Model,
  groups: SeriesGroups,
): Record<string, QuantileScore> {
  const outputs = new Map(series.map((one) => [one, evaluate(model, one.inputs, one.rows)]));
  const count = task.levels.length;
  const places = { count, middle: middleOf(task.levels) };
  const scores: Record<string, QuantileScore> = {};
  for (const [group, belongs] of Object.entries(groups)) {
    const members = series.filter(({ key }) => belongs(key));
    task.horizons.forEach((horizon, h) => {
      const empirical = empiricalQuantiles(task, members, horizon);
      const rows = members.flatMap((one) =>
        testTargets(task, one, horizon).map(({ row, y }) => {
          const q = new Float64Array(count);
          writeQuantiles(outputs.get(one) ?? [], row * model.spec.outputSize + count * h, places, q, 0);
          return { y, q: [...q] };
        }),
      );
      if (rows.length > 0)
        scores[`${group}, horizon ${horizonName(horizon, task.per)}`] = scoreRows(task.levels, rows, empirical);
    });
  }
  return scores;
}

type ScoredRow = { readonly y: number; readonly q: readonly number[] };

function scoreRows(levels: readonly number[], rows: readonly ScoredRow[], empirical: readonly number[]): QuantileScore {
  const normal = levels.map(normalQuantile);
  const meanPinball = (y: number, q: readonly number[]): number =>
    mean(levels.map((level, i) => pinball(level, y, q[i])));
  const inside = Number((100 * (levels[levels.length - 1] - levels[0])).toPrecision(12));
  const gains = rows.map(({ y, q }) => meanPinball(y, empirical) - meanPinball(y, q));
  const gain = mean(gains);
  return {
    pinball: mean(rows.map(({ y, q }) => meanPinball(y, q))),
    normalPinball: mean(rows.map(({ y }) => meanPinball(y, normal))),
    empiricalPinball: mean(rows.map(({ y }) => meanPinball(y, empirical))),
    gainError: Math.sqrt(mean(gains.map((value) => (value - gain) ** 2)) / rows.length),
    [`coverage${inside}`]: mean(rows.map(({ y, q }) => (y >= q[0] && y <= q[q.length - 1] ? 1 : 0))),
    rows: rows.length,
  };
}

function testTargets(
  task: QuantileTask,
  one: SeriesRows,
  horizon: number,
): { readonly row: number; readonly y: number }[] {
  const found: { row: number; y: number }[] = [];
  for (let row = Math.floor(one.rows * TEST_SHARE); row < one.rows - 1; row += 1) {
    const y = targetOf(task, one, { row, horizon, end: one.rows });
    if (!Number.isNaN(y)) found.push({ row, y });
  }
  return found;
}

function empiricalQuantiles(task: QuantileTask, members: readonly SeriesRows[], horizon: number): number[] {
  const returns = members.flatMap((one) => {
    const end = Math.floor(one.rows * TRAIN_SHARE);
    return Array.from({ length: Math.max(0, end - 1) }, (_, row) => targetOf(task, one, { row, horizon, end }));
  });
  const known = returns.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return task.levels.map((level) => known[Math.floor(level * known.length)]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
