import { join } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { CellKind } from '@tideline/nn';
import type { TextEncoderKind } from '@tideline/trainer';
import { MODELS_FOLDER } from '../addresses.ts';
import type { Program } from '../program.ts';
import { positive, sentenceEncoderOption, wholeNumber } from './option-values.ts';

/** The shipped models' own: the plain command makes them again, to the bit. */
const EPOCHS_DEFAULT = 25;
/** sysexits.h: EX_DATAERR and EX_TEMPFAIL. */
export const EXIT_BROKEN = 65;
export const EXIT_STOPPED = 75;
const HELP_END = `Examples:
  tideline train ticks                                      the shipped model again, to the bit
  tideline train call-volume --data calls.csv --map queue=skill ts=interval_start calls=offered --out my-models
  tideline train calls --data labelled-calls.jsonl --text-encoder word-lstm --out my-models
  tideline train calls --data labelled-calls.jsonl --sentence-encoder .cache/all-MiniLM-L6-v2 --out my-models
  tideline train calls-summary --data rated-calls.jsonl --out my-models
  tideline train quotes.yaml --data quotes.csv.gz --hidden 64 --checkpoint quotes.ckpt
  tideline train quotes.yaml --data quotes.csv.gz --hidden 64 --checkpoint quotes.ckpt --resume
  tideline train docs/streams/daily-bars.yaml --data bars.csv.gz --folds 3 --seeds 5
  tideline train --config bars.yaml                         stream: bars-stream.yaml, data: [bars.csv.gz], seeds: 5, ...

A run that was killed and resumed ends with the bits of one that was not.
Exit codes: ${EXIT_BROKEN} a value is not finite, ${EXIT_STOPPED} stopped by a signal, after an epoch.`;

export function addTrain(program: Program): void {
  program
    .command('train')
    .description(
      'train the model of a stream and write model.tdl and card.json: ticks, calls, calls-summary, names and call-volume, the shipped ones, from ' +
        'data that npm packages ship or that is generated; calls, calls-summary, call-volume and a stream that a file declares from --data',
    )
    .argument('[stream]', 'ticks, calls, calls-summary, names, call-volume, or the file that declares the stream')
    .option('--stream <name>', 'the stream, as an option instead of the argument')
    .option(
      '--data <file...>',
      'labelled calls, records of call-volume or a declared stream: CSV or JSON lines (both also .gz) or Parquet',
    )
    .option('--map <field=column...>', "field of the record = column of --data's files")
    .option('--series <id>', 'id of the series, where --data has one and no column for it')
    .addOption(
      new Option('--cell <cell>', 'recurrent cell, of a declared stream')
        .choices(['lstm', 'gru', 'rnn'] as const)
        .default('lstm' as CellKind),
    )
    .option('--hidden <units>', 'units of a layer, of a declared stream', wholeNumber(1), 32)
    .option('--layers <number>', 'recurrent layers, of a declared stream', wholeNumber(1), 1)
    .option('--learning-rate <rate>', 'of the optimizer, of a declared stream', positive, 3e-3)
    .option('--patience <epochs>', 'epochs without a better validation loss, of a declared stream', wholeNumber(0), 5)
    .option(
      '--call-model <folder>',
      'the call model whose answers calls-summary reads',
      join(MODELS_FOLDER, 'calls-gru'),
    )
    .addOption(
      new Option('--text-encoder <kind>', 'what reads the words of an utterance, in order: of calls from --data')
        .choices(['none', 'word-lstm'] as const)
        .default('none' as TextEncoderKind),
    )
    .addOption(sentenceEncoderOption())
    .option('--out <folder>', 'folder of the models', 'models')
    .option('--seed <number>', 'seed of weights, order and generated data', wholeNumber(0), 1)
    .option('--seeds <number>', 'trainings, each with another seed; the first is kept', wholeNumber(1, 1_000), 1)
    .option(
      '--folds <number>',
      "walk-forward test blocks, of a declared stream; the last one's model is kept",
      wholeNumber(1, 100),
    )
    .option('--epochs <number>', 'epochs at most', wholeNumber(0), EPOCHS_DEFAULT)
    .option('--config <file>', 'YAML with these options by their names; the command line goes before it')
    .option('--checkpoint <file>', 'keep what the next epoch needs in this file, after every epoch')
    .option('--resume', 'go on from the checkpoint, where there is one')
    .option('--json', 'print one JSON line')
    .addHelpText('after', `\n${HELP_END}`)
    .action((stream, _, command) =>
      program.run('train', async ({ drain }) => {
        const { config } = command.opts();
        if (config !== undefined) await (await import('./config-file.ts')).applyConfigFile(command, config);
        const options = command.opts();
        await (await import('./train-run.ts')).train(stream ?? options.stream, options, drain);
      }),
    );
}
