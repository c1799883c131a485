/** Calls of a bank's centre per five minutes: one interval, one and four hours, and a day ahead. */
import { join } from 'node:path';
import { CALL_VOLUME_DEFAULTS } from '@tideline/streams';
import type { BacktestResult } from '../backtest/result.ts';
import { backtestVolume } from '../call-volume/backtest-volume.ts';
import { readRecordFiles } from '../record-files.ts';
import type { Recipe, RecipeOptions } from './recipe.ts';

export const callVolume: Recipe = {
  name: 'call-volume',
  summary: "a bank's calls per five minutes, the next interval to the next day: MAE and 80 % intervals against AR(12)",
  folder: 'calls-bank-2003',
  files: ['calls.csv'],
  run,
};

/** Chosen on the validation days, like the network. */
const EPOCHS = 25;
const TARGET_MAE = 11.9;

async function run({ folder, ...options }: RecipeOptions): Promise<BacktestResult> {
  const { records, files } = await readRecordFiles(
    callVolume.files.map((file) => join(folder, file)),
    { stream: 'call-volume', map: {}, key: 'bank' },
  );
  return backtestVolume({
    ...options,
    ...{ name: callVolume.name, settings: CALL_VOLUME_DEFAULTS, records, files, model: null },
    ...{ epochs: EPOCHS, target: TARGET_MAE },
  });
}
