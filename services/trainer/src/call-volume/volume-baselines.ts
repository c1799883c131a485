/** What a planner has without a network: last week's slot, the mean of four weeks, and that with an autoregression of what is left. */
import { leastSquares } from '../least-squares.ts';
import { dayOfSlot, type VolumeSeries, type VolumeSplit } from './volume-task.ts';

const WEEKS_BACK_MAX = 6;
const WEEKS = 4;
const LAGS = 12;
const DAYS_A_WEEK = 7;
const DAY_MS = 86_400_000;

/** A forecast of the slot that horizon `h` of a row speaks of; NaN where the baseline cannot say. */
export type VolumeForecast = (row: number, h: number) => number;

export interface VolumeBaseline {
  readonly name: string;
  readonly forecast: VolumeForecast;
}

export function volumeBaselines(series: VolumeSeries, split: VolumeSplit): VolumeBaseline[] {
  const weeks = (slot: number): readonly number[] => weeksBefore(series, slot);
  const mean = (slot: number): number => meanOf(weeks(slot));
  return [
    { name: "last week's slot", forecast: (row, h) => weeks(series.slot(row, h))[0] ?? Number.NaN },
    { name: 'mean of four weeks', forecast: (row, h) => mean(series.slot(row, h)) },
    { name: 'mean of four weeks + AR(12)', forecast: autoregression(series, split, mean) },
  ];
}

/** Calls of the slot in the newest weeks that have it, at most four of the last six, newest first. */
function weeksBefore({ calls, intervalMs }: VolumeSeries, slot: number): number[] {
  const week = (DAYS_A_WEEK * DAY_MS) / intervalMs;
  const found: number[] = [];
  for (let back = 1; back <= WEEKS_BACK_MAX && found.length < WEEKS; back += 1) {
    const came = calls.get(slot - back * week);
    if (came !== undefined) found.push(came);
  }
  return found;
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Each horizon has coefficients of its own, fitted on all days before the test. */
function autoregression(series: VolumeSeries, split: VolumeSplit, mean: (slot: number) => number): VolumeForecast {
  const { one, calls } = series;
  const slots = [...calls.keys()].sort((a, b) => a - b);
  const residuals = slots.map((slot) => {
    const residual = (calls.get(slot) ?? 0) - mean(slot);
    return Number.isNaN(residual) ? 0 : residual;
  });
  const place = new Map(slots.map((slot, i) => [slot, i]));
  const lagsOf = (row: number): number[] | null => {
    const at = place.get(series.ownSlot(row));
    return at === undefined || at < LAGS ? null : [1, ...residuals.slice(at - LAGS + 1, at + 1)];
  };
  const fitted = new Map<number, Float64Array>();
  const coefficients = (h: number): Float64Array => {
    const known = fitted.get(h);
    if (known) return known;
    const x: number[] = [];
    const y: number[] = [];
    for (let row = 0; row < one.rows; row += 1) {
      const target = series.slot(row, h);
      const came = calls.get(target);
      const lags = came === undefined || !(dayOfSlot(series, target) < split.test) ? null : lagsOf(row);
      const left = (came ?? Number.NaN) - mean(target);
      if (lags === null || Number.isNaN(left)) continue;
      x.push(...lags);
      y.push(left);
    }
    const found =
      y.length > 2 * LAGS
        ? Float64Array.from(
            leastSquares(Float64Array.from(x), Float64Array.from(y), { columns: LAGS + 1, ridge: 1e-6 }),
          )
        : new Float64Array(LAGS + 1);
    fitted.set(h, found);
    return found;
  };
  return (row, h) => {
    const lags = lagsOf(row);
    if (lags === null) return Number.NaN;
    const b = coefficients(h);
    return Math.max(0, mean(series.slot(row, h)) + lags.reduce((sum, value, i) => sum + value * b[i], 0));
  };
}
