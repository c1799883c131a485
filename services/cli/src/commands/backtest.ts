import { Option } from '@commander-js/extra-typings';
import { DATA_FOLDER } from '../addresses.ts';
import type { Program } from '../program.ts';
import { wholeNumber } from './option-values.ts';

const HELP_END = `Examples:
  tideline backtest --recipe spy-volatility --seeds 10 --json
  tideline backtest --recipe spy-volatility --out report         report/index.html, figures.csv, forecasts.csv, result.json
  tideline backtest                                              the recipes

A recipe's data lies under TIDELINE_DATA; docs/recipes/ says what each needs and what came out.`;

export function addBacktest(program: Program): void {
  program
    .command('backtest')
    .description(
      "run the pipeline's own code over history and compare its forecasts with baselines and published numbers, over several seeds",
    )
    .option('--recipe <name>', 'a comparison with its data, split, model and targets')
    .addOption(
      new Option('--data-folder <folder>', 'folder of the data sets').env('TIDELINE_DATA').default(DATA_FOLDER),
    )
    .option('--seeds <number>', 'trainings, each with another seed', wholeNumber(1, 1_000), 5)
    .option('--seed <number>', 'the first seed', wholeNumber(0), 1)
    .option('--out <folder>', 'write the report, figures and forecasts there')
    .option('--json', 'print one JSON line')
    .addHelpText('after', `\n${HELP_END}`)
    .action((options) =>
      program.run('backtest', async ({ drain }) => (await import('./backtest-run.ts')).backtest(options, drain)),
    );
}
