import { Option } from '@commander-js/extra-typings';
import type { TableFormat } from '@tideline/adapters';
import type { CellKind } from '@tideline/nn';
import type { TextEncoderKind } from '@tideline/trainer';
import { DATA_FOLDER } from '../addresses.ts';
import type { Program } from '../program.ts';
import { positive, sentenceEncoderOption, wholeNumber } from './option-values.ts';
import { EXIT_STOPPED } from './train.ts';

const HELP_END = `Examples:
  tideline backtest --recipe spy-volatility --seeds 10 --json
  tideline backtest --stream docs/streams/daily-bars.yaml --data bars.csv.gz --folds 3 --seeds 5 --out report
  tideline backtest --stream quotes.yaml --data quotes.csv --out forecasts.parquet
  tideline backtest --stream quotes.yaml --data quotes.parquet --map ts=time --model models/quotes
  tideline backtest --stream call-volume --data calls.csv --map queue=skill ts=start calls=offered --seeds 3
  tideline backtest --stream calls --data labelled-calls.jsonl --seeds 3 --save my-models
  tideline backtest --recipe meld --seeds 3 --text-encoder word-lstm
  tideline backtest                                              the recipes

--out writes index.html (tables and plots), figures and forecasts (--format) and result.json.
A recipe's data lies under TIDELINE_DATA; docs/recipes/ says what each needs, docs/forecast-quality.md what came out.
Exit code: ${EXIT_STOPPED} stopped by a signal.`;

export function addBacktest(program: Program): void {
  program
    .command('backtest')
    .description(
      "run the pipeline's own code over history and compare its forecasts with baselines and published numbers, over several seeds",
    )
    .option('--recipe <name>', 'a comparison with its own data, split, model and targets')
    .addOption(
      new Option('--data-folder <folder>', 'folder of the data sets of recipes')
        .env('TIDELINE_DATA')
        .default(DATA_FOLDER),
    )
    .option(
      '--stream <file>',
      'the file that declares a stream of quantiles, or call-volume or calls, instead of a recipe',
    )
    .option('--data <file...>', 'records of --stream: CSV, JSON lines (both also .gz) or Parquet')
    .option('--map <field=column...>', "field of the record = column of --data's files")
    .option('--series <id>', 'id of the series, where --data has one and no column for it')
    .option('--model <folder>', 'score this trained model as it is; without it, one is trained for each fold and seed')
    .option('--folds <number>', 'walk-forward test blocks', wholeNumber(1, 100), 1)
    .option('--season <steps>', 'steps of a season, for the seasonal naive forecast', wholeNumber(1))
    .addOption(
      new Option('--cell <cell>', 'recurrent cell')
        .choices(['lstm', 'gru', 'rnn'] as const)
        .default('lstm' as CellKind),
    )
    .option('--hidden <units>', 'units of a layer', wholeNumber(1), 16)
    .option('--layers <number>', 'recurrent layers', wholeNumber(1), 1)
    .option('--learning-rate <rate>', 'of the optimizer', positive, 3e-3)
    .option('--epochs <number>', 'epochs at most', wholeNumber(1), 25)
    .option('--patience <epochs>', 'epochs without a better validation loss', wholeNumber(0), 5)
    .addOption(
      new Option(
        '--text-encoder <kind>',
        'what reads the words of an utterance, in order: of calls, meld, satisfaction',
      )
        .choices(['none', 'word-lstm'] as const)
        .default('none' as TextEncoderKind),
    )
    .addOption(sentenceEncoderOption())
    .option('--seeds <number>', 'trainings, each with another seed', wholeNumber(1, 1_000), 5)
    .option('--seed <number>', 'the first seed', wholeNumber(0), 1)
    .option(
      '--out <path>',
      'folder for the report, figures and forecasts; a file (.csv, .parquet, .json, .jsonl): the forecasts',
    )
    .addOption(
      new Option('--format <format>', "of the tables in --out's folder")
        .choices(['csv', 'parquet', 'json', 'jsonl'] as const)
        .default('csv' as TableFormat),
    )
    .option('--save <folder>', "write the first seed's model with its card there, as 'tideline train' does")
    .option('--config <file>', 'YAML with these options by their names; the command line goes before it')
    .option('--json', 'print one JSON line')
    .addHelpText('after', `\n${HELP_END}`)
    .action((_, command) =>
      program.run('backtest', async ({ drain }) => {
        const { config } = command.opts();
        if (config !== undefined) await (await import('./config-file.ts')).applyConfigFile(command, config);
        await (await import('./backtest-run.ts')).backtest(command.opts(), drain);
      }),
    );
}
