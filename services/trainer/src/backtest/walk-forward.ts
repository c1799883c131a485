import { ConfigError } from '@tideline/pipeline';

/** One fold in event time, the same moments for every series: what is trained on lies before what is tested, wherever a series begins. */
export interface Fold {
  /** First moment of validation, of test, and the moment behind the test's last; epoch ms. */
  readonly validationMs: number;
  readonly testMs: number;
  readonly endMs: number;
}

/** Share of all steps that one fold tests, and that its validation has before that. */
const BLOCK_SHARE = 0.15;
/** However many folds, so much is left to train the first one on, validation included. */
const FIRST_SHARE = 0.4;

/** The last steps cut into `folds` test blocks of as many steps each; each is tested by a model that was trained on all that lies before its validation. */
export function walkForward(timesMs: readonly Float64Array[], folds: number): Fold[] {
  const all = Float64Array.from(timesMs.flatMap((times) => [...times])).sort();
  const block = Math.min(BLOCK_SHARE, (1 - FIRST_SHARE) / folds);
  const at = (share: number): number => all[Math.min(all.length - 1, Math.floor(share * all.length))];
  const found = Array.from({ length: folds }, (_, fold) => {
    const test = 1 - block * (folds - fold);
    const endMs = fold === folds - 1 ? Number.POSITIVE_INFINITY : at(test + block);
    return { validationMs: at(test - block), testMs: at(test), endMs };
  });
  for (const { validationMs, testMs, endMs } of found)
    if (!(all[0] < validationMs && validationMs < testMs && testMs < endMs))
      throw new ConfigError([`There are too few moments for ${folds} folds: give more records, or fewer folds.`]);
  return found;
}

/** How many of the ascending times lie before `ms`. */
export function rowsBefore(timeMs: Float64Array, ms: number): number {
  let [low, high] = [0, timeMs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeMs[middle] < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}
