/** Calls to come as a task: what came in the slot that each horizon speaks of, and how the days are cut into training, validation and test. */
import type { TrainingSequence } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { rootOf, VOLUME_CONTEXT, VOLUME_HORIZONS, volumeLoss } from '@tideline/streams';
import type { SeriesRows } from '../series-rows.ts';

const DAY_MS = 86_400_000;
const HOLD_OUT_DAYS = 20;
const DAYS_MIN = 14;

/** Days, local and counted from 1970-01-01: the first that is learnt from, the first of validation and of test. */
export interface VolumeSplit {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

export interface VolumeSeries {
  readonly one: SeriesRows;
  readonly intervalMs: number;
  /** Calls by slot. */
  readonly calls: ReadonlyMap<number, number>;
  /** Slot of a row's own record. */
  ownSlot(row: number): number;
  /** Slot and day that horizon `h` of a row speaks of; NaN where it is closed. */
  slot(row: number, h: number): number;
  day(row: number, h: number): number;
}

export function volumeSeries(one: SeriesRows): VolumeSeries {
  const { rows, context } = one;
  const size = context.length / rows;
  const { slot, calls, intervalMs, horizons, each } = VOLUME_CONTEXT;
  const length = context[intervalMs + (rows - 1) * size];
  const slotOf = (row: number, h: number): number => {
    const at = row * size + horizons + h * each;
    // Rows before a series' intervals changed their length speak of other slots.
    return context[at + 3] === 0 || context[row * size + intervalMs] !== length ? Number.NaN : context[at];
  };
  const known = new Map<number, number>();
  for (let row = 0; row < rows; row += 1)
    if (context[row * size + intervalMs] === length) known.set(context[row * size + slot], context[row * size + calls]);
  return {
    one,
    intervalMs: length,
    calls: known,
    ownSlot: (row) => context[row * size + slot],
    slot: slotOf,
    day: (row, h) => Math.floor((slotOf(row, h) * length) / DAY_MS),
  };
}

/**
 * The last twenty days with calls are the test, the twenty before them choose the epoch and widen the intervals, the first twenty only fill the
 * memory; a sixth of the days each where there are less than 120. Throws ConfigError below a fortnight.
 */
export function splitDays(series: readonly VolumeSeries[]): VolumeSplit {
  const days = [...new Set(series.flatMap((one) => [...one.calls.keys()].map((slot) => dayOfSlot(one, slot))))].sort(
    (a, b) => a - b,
  );
  if (days.length < DAYS_MIN)
    throw new ConfigError([`There are calls of ${days.length} days: give at least ${DAYS_MIN}, better some months.`]);
  const part = Math.min(HOLD_OUT_DAYS, Math.floor(days.length / 6));
  return { train: days[part], validation: days[days.length - 2 * part], test: days[days.length - part] };
}

export function dayOfSlot({ intervalMs }: VolumeSeries, slot: number): number {
  return Math.floor((slot * intervalMs) / DAY_MS);
}

/** Distance of what came from what is usual, in units, for each horizon of a row; NaN: not known, or not of a day in [from, to). */
export function volumeTargets(series: VolumeSeries, row: number, from: number, to: number): Float64Array {
  const { one, calls } = series;
  const size = one.context.length / one.rows;
  const { unit, horizons, each } = VOLUME_CONTEXT;
  return Float64Array.from(VOLUME_HORIZONS, (_, h) => {
    const came = calls.get(series.slot(row, h));
    const day = series.day(row, h);
    if (came === undefined || !(day >= from && day < to)) return Number.NaN;
    const usual = one.context[row * size + horizons + h * each + 2];
    return (rootOf(came) - usual) / one.context[row * size + unit];
  });
}

/** Rows [first, end) whose targets of days [from, to) count. */
export function volumeSequence(
  series: VolumeSeries,
  rows: { readonly first: number; readonly end: number },
  days: { readonly from: number; readonly to: number },
): TrainingSequence {
  const { one } = series;
  const inputSize = one.inputs.length / one.rows;
  const targets = Array.from({ length: rows.end - rows.first }, (_, row) =>
    volumeTargets(series, rows.first + row, days.from, days.to),
  );
  return {
    name: `${one.key} from row ${rows.first}`,
    inputs: one.inputs.subarray(rows.first * inputSize, rows.end * inputSize),
    rows: rows.end - rows.first,
    loss: (outputs, row, gradient) =>
      targets[row].every(Number.isNaN) ? null : volumeLoss(outputs, targets[row], gradient),
  };
}

/** The first row whose record is of `day` or later. */
export function firstRowOf({ one, intervalMs }: VolumeSeries, day: number): number {
  const size = one.context.length / one.rows;
  let row = 0;
  while (row < one.rows && (one.context[row * size + VOLUME_CONTEXT.slot] * intervalMs) / DAY_MS < day) row += 1;
  return row;
}
