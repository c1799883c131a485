import { mulberry32, normal } from './random.ts';
import type { SourceRecord } from './source-record.ts';

export interface GeneratedCallVolumeOptions {
  readonly seed: number;
  readonly days: number;
  /** First midnight, epoch ms. */
  readonly startMs?: number;
}

interface Queue {
  readonly queue: string;
  readonly intervalMs: number;
  /** Mean calls of an open hour. */
  readonly calls: number;
  /** Hours of the day in which it is open, and days of the week (0: Monday). */
  readonly opens: number;
  readonly closes: number;
  readonly days: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A Monday. */
const START_MS = Date.UTC(2024, 0, 1);
/** Every kind of queue that the model should know: large and small, of office hours and of all hours, and one that is mostly silent. */
const QUEUES: readonly Queue[] = [
  { queue: 'billing', intervalMs: 900_000, calls: 260, opens: 8, closes: 20, days: 6 },
  { queue: 'support', intervalMs: 900_000, calls: 90, opens: 0, closes: 24, days: 7 },
  { queue: 'orders', intervalMs: 1_800_000, calls: 60, opens: 7, closes: 22, days: 7 },
  { queue: 'claims', intervalMs: 1_800_000, calls: 14, opens: 9, closes: 17, days: 5 },
  { queue: 'emergencies', intervalMs: 900_000, calls: 1.2, opens: 0, closes: 24, days: 7 },
];
/** How much of a day's and of an hour's surprise is there the next day, the next interval. */
const DAY_MEMORY = 0.6;
const INTERVAL_MEMORY = 0.97;

/**
 * Generated (not real) calls per interval of five queues: a shape of the day with two peaks, a week, a busy start of the month, days and hours that are
 * busier than usual and stay so for a while, counts by chance around that (Poisson). In the order of time. The same options give the same records.
 */
export function* generatedCallVolume({
  seed,
  days,
  startMs = START_MS,
}: GeneratedCallVolumeOptions): Generator<SourceRecord> {
  const random = mulberry32(seed);
  const series = QUEUES.map((queue) => ({ ...queue, ofDay: 0, ofInterval: 0, day: -1, weekend: 0.3 + 0.4 * random() }));
  const step = Math.min(...QUEUES.map(({ intervalMs }) => intervalMs));
  for (let ts = startMs; ts < startMs + days * DAY_MS; ts += step) {
    const day = Math.floor((ts - startMs) / DAY_MS);
    const hour = (ts % DAY_MS) / HOUR_MS;
    const weekday = Math.floor(ts / DAY_MS + 3) % 7;
    for (const one of series) {
      if (ts % one.intervalMs !== 0 || weekday >= one.days || hour < one.opens || hour >= one.closes) continue;
      if (one.day !== day) one.ofDay = DAY_MEMORY * one.ofDay + 0.12 * normal(random);
      one.day = day;
      one.ofInterval = INTERVAL_MEMORY * one.ofInterval + 0.03 * normal(random);
      const shape = 0.15 + Math.exp(-(((hour - 10.5) / 2.2) ** 2)) + 0.7 * Math.exp(-(((hour - 15.5) / 2.6) ** 2));
      const week = weekday === 0 ? 1.2 : weekday > 4 ? one.weekend : 1;
      const month = new Date(ts).getUTCDate() <= 3 ? 1.25 : 1;
      const mean = (one.calls * one.intervalMs * shape * week * month * Math.exp(one.ofDay + one.ofInterval)) / HOUR_MS;
      yield {
        topic: 'call-volume',
        key: one.queue,
        value: JSON.stringify({ queue: one.queue, ts, intervalMs: one.intervalMs, calls: poisson(mean, random) }),
        timestampMs: ts,
      };
    }
  }
}

/** By products of uniform numbers (D. Knuth, "The Art of Computer Programming", vol. 2, 3.4.1), large means in parts. */
function poisson(mean: number, random: () => number): number {
  let count = 0;
  for (let left = mean; left > 0; left -= PART) {
    const limit = Math.exp(-Math.min(left, PART));
    for (let product = random(); product > limit; product *= random()) count += 1;
  }
  return count;
}

const PART = 30;
