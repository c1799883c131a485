import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type CellKind, ModelError, saveModel, type TrainingCheckpoint, TrainingError } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { isStreamFile } from '@tideline/streams';
import {
  checkpointToResume,
  type TrainedModel,
  type TrainerOptions,
  trainCalls,
  trainTicks,
  writeCheckpoint,
} from '@tideline/trainer';
import type { Program } from '../program.ts';
import { type DeclaredOptions, trainFromFile } from './train-declared.ts';
import { trainProgress } from './train-progress.ts';

const TRAINERS = { ticks: trainTicks, calls: trainCalls } as const satisfies Record<string, Trainer>;
/** The shipped models' own: the plain command makes them again, to the bit. */
const EPOCHS_DEFAULT = 25;
/** sysexits.h: EX_DATAERR and EX_TEMPFAIL. */
const EXIT_BROKEN = 65;
const EXIT_STOPPED = 75;
const HELP_END = `A run that was killed and resumed ends with the bits of one that was not.
Exit codes: ${EXIT_BROKEN} a value is not finite, ${EXIT_STOPPED} stopped by a signal, after an epoch.`;

interface TrainOptions extends DeclaredOptions {
  readonly stream?: string | undefined;
  readonly out: string;
  readonly seed: number;
  readonly epochs: number;
  readonly checkpoint?: string | undefined;
  readonly resume?: true | undefined;
  readonly json?: true | undefined;
}

export function addTrain(program: Program): void {
  program
    .command('train')
    .description(
      'train the model of a stream and write model.tdl and card.json: ticks and calls, the shipped ones, from data that npm ' +
        'packages ship or that is generated; a stream that a file declares from --data',
    )
    .argument('[stream]', 'ticks, calls, or the file that declares the stream')
    .option('--stream <name>', 'the same as an option')
    .option('--data <file...>', 'records of a declared stream: CSV or JSON lines, also .gz')
    .option('--map <field=column...>', "field of the record = column of --data's files")
    .addOption(
      new Option('--cell <cell>', 'of a declared stream')
        .choices(['lstm', 'gru', 'rnn'] as const)
        .default('lstm' as CellKind),
    )
    .option('--hidden <units>', 'units of a layer, of a declared stream', wholeNumber, 32)
    .option('--layers <number>', 'of a declared stream', wholeNumber, 1)
    .option('--learning-rate <rate>', 'of a declared stream', positive, 3e-3)
    .option('--patience <epochs>', 'epochs without a better validation loss, of a declared stream', wholeNumber, 5)
    .option('--out <folder>', 'folder of the models', 'models')
    .option('--seed <number>', 'seed of weights, order and generated data', wholeNumber, 1)
    .option('--epochs <number>', 'epochs at most', wholeNumber, EPOCHS_DEFAULT)
    .option('--checkpoint <file>', 'keep what the next epoch needs in this file, after every epoch')
    .option('--resume', 'go on from the checkpoint, where there is one')
    .option('--json', 'print one JSON line')
    .addHelpText('after', `\n${HELP_END}`)
    .action((stream, options) => program.run('train', ({ drain }) => train(stream ?? options.stream, options, drain)));
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number, 0 or more.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError('must be a number above 0.');
  return value;
}

type Trainer = (options: TrainerOptions) => Promise<TrainedModel>;

/** Throws ConfigError where there is no such stream. */
function trainerOf(stream: string | undefined, options: TrainOptions): Trainer {
  const known = Object.keys(TRAINERS).join(', ');
  if (stream === undefined)
    throw new ConfigError([`Name the stream whose model is to be trained: ${known}, or the file that declares it.`]);
  if (Object.hasOwn(TRAINERS, stream)) return TRAINERS[stream as keyof typeof TRAINERS];
  if (isStreamFile(stream)) return (trainer) => trainFromFile(stream, options, trainer);
  throw new ConfigError([
    `There is no stream '${stream}': use ${known}, or the path of a file that declares one (.yaml, .json).`,
  ]);
}

async function train(stream: string | undefined, options: TrainOptions, signal: AbortSignal): Promise<void> {
  const { seed, epochs, checkpoint: path } = options;
  const trainer = trainerOf(stream, options);
  const resume = await resumeFrom(options);
  const progress = trainProgress(epochs);
  let trained: TrainedModel;
  try {
    trained = await trainer({
      ...{ seed, epochs, signal, onEpoch: progress.onEpoch },
      ...(resume ? { resume } : {}),
      ...(path === undefined ? {} : { checkpoint: (checkpoint) => writeCheckpoint(path, checkpoint) }),
    });
  } catch (error) {
    progress.stop();
    process.exitCode = reportEnd(error, signal, path);
    return;
  }
  progress.stop();
  await writeModel(trained, options);
}

async function resumeFrom({ checkpoint, resume }: TrainOptions): Promise<TrainingCheckpoint | null> {
  if (checkpoint === undefined) {
    if (resume) throw new ModelError('--resume needs --checkpoint <file>: the file to go on from.');
    return null;
  }
  const found = await checkpointToResume(checkpoint, resume === true);
  if (resume)
    process.stderr.write(
      found
        ? `Going on after epoch ${found.history.length} of '${checkpoint}'.\n`
        : `There is no checkpoint at '${checkpoint}' yet: training starts at epoch 1.\n`,
    );
  return found;
}

/** What ended a training before its time. Returns the exit code; rethrows what is neither. */
function reportEnd(error: unknown, signal: AbortSignal, checkpoint: string | undefined): number {
  const lost = 'Nothing was kept: --checkpoint <file> would.';
  if (error instanceof TrainingError) {
    const kept = checkpoint === undefined ? lost : `'${checkpoint}' keeps what was learnt before this epoch.`;
    process.stderr.write(`tideline train: ${error.message} No model was written. ${kept}\n`);
    return EXIT_BROKEN;
  }
  if (!signal.aborted || error !== signal.reason) throw error;
  process.stderr.write(
    `tideline train: stopped. ${checkpoint === undefined ? lost : `The same command with --resume goes on from '${checkpoint}'.`}\n`,
  );
  return EXIT_STOPPED;
}

async function writeModel({ model, card }: TrainedModel, { out, json }: TrainOptions): Promise<void> {
  const folder = join(out, model.spec.name);
  await saveModel(join(folder, 'model.tdl'), model, card);
  await writeFile(join(folder, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
  const epochs = card.epochs as readonly { readonly epoch: number; readonly best: boolean }[];
  const best = epochs.findLast((report) => report.best)?.epoch ?? 0;
  const result = { model: model.spec.name, digest: model.digest, epochs: epochs.length, best, test: card.test, folder };
  process.stdout.write(
    json
      ? `${JSON.stringify(result)}\n`
      : `${result.model} ${result.digest}\n${result.epochs} epochs, the best is ${best}; model.tdl and card.json are in '${folder}'\n` +
          `A running pipeline goes over to it with 'tideline models promote'.\n`,
  );
}
