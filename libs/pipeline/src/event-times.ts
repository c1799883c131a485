/**
 * What a series remembers of event time, carried in its state: a record is late, or its series was silent, by these numbers and its own time alone,
 * so that every replay decides the same.
 */
import type { Chunk } from './chunk.ts';

/** What happens to a record that is late or repeated. `apply` steps it like any other. */
export const LATE_POLICIES = ['apply', 'drop', 'dead-letter'] as const;
export type LatePolicy = (typeof LATE_POLICIES)[number];

/**
 * Places in a series' times: the newest event time that it has stepped (ms, and ns within it), the newest of any record that it has taken, and the
 * shard's watermark when it took the last one.
 */
export const TIMES = { steppedMs: 0, steppedSubNs: 1, heardMs: 2, watermarkMs: 3 } as const;
export const TIMES_SIZE = 4;

/** The times of a series that has had no record. */
export const NO_TIMES: readonly number[] = [
  Number.NEGATIVE_INFINITY,
  0,
  Number.NEGATIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

/** Whether the row's event time is before the newest one that its series has stepped. Equal is not late. */
export function isLate(chunk: Chunk, row: number, times: Float64Array, at: number): boolean {
  const ms = chunk.timeMs[row];
  const steppedMs = times[at + TIMES.steppedMs];
  return ms < steppedMs || (ms === steppedMs && chunk.timeSubNs[row] < times[at + TIMES.steppedSubNs]);
}

/** The series has taken the row; `isStep`: and stepped it. */
export function takeTime(
  chunk: Chunk,
  row: number,
  { isStep, watermarkMs }: { readonly isStep: boolean; readonly watermarkMs: number },
  times: Float64Array,
  at: number,
): void {
  const ms = chunk.timeMs[row];
  const subNs = chunk.timeSubNs[row];
  if (ms > times[at + TIMES.heardMs]) times[at + TIMES.heardMs] = ms;
  times[at + TIMES.watermarkMs] = watermarkMs;
  const steppedMs = times[at + TIMES.steppedMs];
  if (!isStep || ms < steppedMs || (ms === steppedMs && subNs <= times[at + TIMES.steppedSubNs])) return;
  times[at + TIMES.steppedMs] = ms;
  times[at + TIMES.steppedSubNs] = subNs;
}

/** `2023-11-14T22:13:20.123Z`, with the digits below a millisecond where there are any. */
export function timeText(ms: number, subNs: number): string {
  const text = new Date(ms).toISOString();
  return subNs === 0 ? text : text.replace('Z', `${String(subNs).padStart(6, '0').replace(/0+$/, '')}Z`);
}
