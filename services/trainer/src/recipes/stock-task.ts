/** Daily bars as sequences to learn movements from: which rows have a target, of which part, and how they are cut. */
import type { TrainingSequence } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { rowsBefore } from '../backtest/walk-forward.ts';
import type { SeriesRows } from '../series-rows.ts';
import { type Scaling, scalingOf, standardised } from '../standardise.ts';
import { dayOf, type Movement, type Movements, PARTS, type Part } from './movements.ts';
import { contextColumn, movementLoss, nextMoves } from './stock-loss.ts';

/** Days before all inputs are known. */
export const FIRST_ROW = 30;
/** Days before the first target that only bring the state up. */
const WARM_ROWS = 60;

export interface Task {
  readonly series: readonly SeriesRows[];
  readonly inputSize: number;
  /** By series, by row: the movement of the day after it; null: none counts. */
  readonly labels: ReadonlyMap<SeriesRows, readonly (Movement | null)[]>;
  /** By series, by row: the move of the day after it, in the share's own deviations; NaN where there is none. */
  readonly moves: ReadonlyMap<SeriesRows, Float64Array>;
  readonly counts: Readonly<Record<Part, number>>;
  /** Series that end before all their inputs are known. */
  readonly tooShort: number;
}

/** `moveAt`: place in a row's context of the day's move, per cent. Throws ConfigError where a part has no movement. */
export function taskOf(read: readonly SeriesRows[], movements: Movements, moveAt: number): Task {
  const counts = { train: 0, val: 0, test: 0 };
  const series = read.filter(({ rows }) => rows > FIRST_ROW);
  const labels = new Map(
    series.map((one) => [
      one,
      Array.from({ length: one.rows }, (_, row) => {
        const movement = row + 1 < one.rows ? movements.get(`${one.key} ${dayOf(one.timeMs[row + 1])}`) : undefined;
        if (movement === undefined || row < FIRST_ROW) return null;
        counts[movement.part] += 1;
        return movement;
      }),
    ]),
  );
  const empty = PARTS.find((part) => counts[part] === 0);
  if (empty !== undefined)
    throw new ConfigError([`There is no movement in the part '${empty}': give more days of bars.`]);
  const inputSize = series[0].inputs.length / series[0].rows;
  const moves = new Map(series.map((one) => [one, nextMoves(contextColumn(one, moveAt), FIRST_ROW)]));
  return { series, inputSize, labels, moves, counts, tooShort: read.length - series.length };
}

/** Of the rows with a target of these parts. */
export function inputScaling({ series, inputSize, labels }: Task, parts: readonly Part[]): Scaling {
  const rows: number[] = [];
  for (const one of series)
    labels.get(one)?.forEach((label, row) => {
      if (label && parts.includes(label.part))
        rows.push(...one.inputs.subarray(row * inputSize, (row + 1) * inputSize));
    });
  return scalingOf(rows, { columns: inputSize, from: 0, to: rows.length / inputSize });
}

/** All series over the days of these parts, so that an update sees all shares of the same days. */
export function sequencesOf(task: Task, parts: readonly Part[], scaling: Scaling): TrainingSequence[] {
  const { series, inputSize, labels, moves } = task;
  const days = daysOf(task, parts);
  return series.flatMap((one) => {
    const [wanted, next] = [labels.get(one) ?? [], moves.get(one) ?? new Float64Array(0)];
    const first = rowsBefore(one.timeMs, days.firstMs);
    const from = Math.max(FIRST_ROW, first - WARM_ROWS);
    const end = rowsBefore(one.timeMs, days.lastMs + 1);
    if (end <= from) return [];
    return [
      {
        name: one.key,
        inputs: standardised(one.inputs.subarray(from * inputSize, end * inputSize), scaling),
        rows: end - from,
        loss: movementLoss(
          (row) => wanted[from + row],
          (row) => (from + row < first ? Number.NaN : next[from + row]),
        ),
      },
    ];
  });
}

export interface Days {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** First and last day with a target of these parts on the day after it, over all series. */
export function daysOf({ series, labels }: Task, parts: readonly Part[]): Days {
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const one of series)
    labels.get(one)?.forEach((label, row) => {
      if (!label || !parts.includes(label.part)) return;
      firstMs = Math.min(firstMs, one.timeMs[row]);
      lastMs = Math.max(lastMs, one.timeMs[row]);
    });
  return { firstMs, lastMs };
}

export type Answers = Readonly<Record<Part, { readonly said: boolean; readonly is: boolean }[]>>;

/** Up where `score` is above 0. */
export function answersOf({ series, labels }: Task, score: (one: SeriesRows, row: number) => number): Answers {
  const found: Answers = { train: [], val: [], test: [] };
  for (const one of series)
    labels.get(one)?.forEach((label, row) => {
      if (label) found[label.part].push({ said: score(one, row) > 0, is: label.up });
    });
  return found;
}
