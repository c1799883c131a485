import { type RecordFileOptions, readRecordFile } from '@tideline/adapters';
import type { Figures } from '../backtest/result.ts';
import { binaryFigures } from '../backtest/score-returns.ts';

export const PARTS = ['train', 'val', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** Whether a ticker rose on a day, and to which part of the protocol the day belongs. */
export interface Movement {
  readonly up: boolean;
  readonly part: Part;
}

/** Movements by ticker and day, `AAPL 2015-10-01`. Days without a clear movement are not in it. */
export type Movements = ReadonlyMap<string, Movement>;

export async function readMovements(path: string): Promise<Movements> {
  const options: RecordFileOptions = { path, topic: 'targets', keyField: 'ticker', map: {} };
  const found = new Map<string, Movement>();
  for await (const { key, value } of readRecordFile(options)) {
    const { date, up, split } = JSON.parse(value) as { date: string; up: number; split: Part };
    found.set(`${key} ${date}`, { up: up === 1, part: split });
  }
  return found;
}

/** Per cent: what lies between counts as no movement. */
const DOWN = -0.5;
const UP = 0.55;
/** Shares of the days that come before validation and before the test, as in the protocol. */
const VALIDATION_FROM = 0.79;
const TEST_FROM = 0.875;

/** The protocol's rule for bars that come without targets; `moves`: each series' daily changes in per cent, by row. */
export function movementsOf(
  series: readonly { readonly key: string; readonly timeMs: Float64Array; readonly moves: ArrayLike<number> }[],
): Movements {
  const days = [...new Set(series.flatMap(({ timeMs }) => [...timeMs]))].sort((a, b) => a - b);
  const [validationMs, testMs] = [VALIDATION_FROM, TEST_FROM].map((share) => days[Math.floor(share * days.length)]);
  const found = new Map<string, Movement>();
  for (const { key, timeMs, moves } of series)
    timeMs.forEach((ms, row) => {
      const part = ms >= testMs ? 'test' : ms >= validationMs ? 'val' : 'train';
      if (moves[row] >= UP || moves[row] <= DOWN) found.set(`${key} ${dayOf(ms)}`, { up: moves[row] > 0, part });
    });
  return found;
}

export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** Accuracy and Matthews' correlation coefficient. */
export function movementFigures(answers: readonly { readonly said: boolean; readonly is: boolean }[]): Figures {
  const { accuracy, mcc, up } = binaryFigures(answers);
  return { 'accuracy %': 100 * accuracy, MCC: mcc, 'said up %': 100 * up };
}
