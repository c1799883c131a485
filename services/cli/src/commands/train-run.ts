import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError, saveModel, type TrainingCheckpoint, TrainingError } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { describeStream, isStreamFile, NAMES_MODEL, SUMMARY_MODEL } from '@tideline/streams';
import {
  assertNoEncoders,
  checkpointToResume,
  type TrainedModel,
  type TrainerOptions,
  trainNames,
  trainTicks,
  writeCheckpoint,
} from '@tideline/trainer';
import { EXIT_BROKEN, EXIT_STOPPED } from './train.ts';
import { type DeclaredOptions, trainCallsFrom, trainFromFile, trainSummaries, trainVolumes } from './train-declared.ts';
import { type Repeated, trainFolds, trainSeeds } from './train-many.ts';

export interface TrainOptions extends DeclaredOptions {
  readonly stream?: string | undefined;
  readonly out: string;
  readonly seed: number;
  readonly seeds: number;
  readonly folds?: number | undefined;
  readonly epochs: number;
  readonly checkpoint?: string | undefined;
  readonly resume?: true | undefined;
  readonly json?: true | undefined;
}

type Trainer = (options: TrainerOptions) => Promise<TrainedModel>;

/** Throws ConfigError where there is no such stream. */
function trainerOf(stream: string | undefined, options: TrainOptions): Trainer {
  const known = `ticks, calls, ${SUMMARY_MODEL}, ${NAMES_MODEL}, call-volume`;
  if (stream === undefined)
    throw new ConfigError([`Name the stream whose model is to be trained: ${known}, or the file that declares it.`]);
  if (stream === 'ticks') {
    if (options.data !== undefined)
      throw new ConfigError([
        "--data: the model of 'ticks' is made from prices that npm packages ship. For ticks of your own declare a stream in a file, such as " +
          'docs/streams/quotes.yaml, and train that.',
      ]);
    return trainTicks;
  }
  if (stream === NAMES_MODEL) {
    if (options.data !== undefined)
      throw new ConfigError(['--data: the tagger of names is trained on generated sentences. Leave --data out.']);
    return trainNames;
  }
  if (stream === 'calls') return (trainer) => trainCallsFrom(options, trainer);
  if (stream === SUMMARY_MODEL) return (trainer) => trainSummaries(options, trainer);
  const { callVolume } =
    stream === 'call-volume' || isStreamFile(stream) ? describeStream(stream) : { callVolume: null };
  if (callVolume !== null) return (trainer) => trainVolumes(stream, callVolume, options, trainer);
  if (isStreamFile(stream)) return (trainer) => trainFromFile(stream, options, trainer);
  throw new ConfigError([
    `There is no stream '${stream}': use ${known}, or the path of a file that declares one (.yaml, .json).`,
  ]);
}

/** `tideline train`: sets the exit code where training ends before its time. */
export async function train(stream: string | undefined, options: TrainOptions, signal: AbortSignal): Promise<void> {
  const { checkpoint: path, seeds, folds } = options;
  if (stream !== 'calls' && stream !== SUMMARY_MODEL) assertNoEncoders(options, `the stream '${stream ?? ''}'`);
  const trainer = trainerOf(stream, options);
  if (path !== undefined && (seeds > 1 || folds !== undefined))
    throw new ConfigError(['A checkpoint is of one training: leave --checkpoint out, or --seeds and --folds.']);
  const resume = await resumeFrom(options);
  let trained: Repeated;
  try {
    trained =
      folds === undefined
        ? await trainSeeds(trainer, options, {
            ...{ signal, ...(resume ? { resume } : {}) },
            ...(path === undefined ? {} : { checkpoint: (checkpoint) => writeCheckpoint(path, checkpoint) }),
          })
        : await trainFolds(stream ?? '', { ...options, folds }, signal);
  } catch (error) {
    process.exitCode = reportEnd(error, signal, path);
    return;
  }
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

async function writeModel({ model, card, summary }: Repeated, { out, json }: TrainOptions): Promise<void> {
  const folder = join(out, model.spec.name);
  await saveModel(join(folder, 'model.tdl'), model, card);
  await writeFile(join(folder, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
  const epochs = card.epochs as readonly { readonly epoch: number; readonly best: boolean }[];
  const best = epochs.findLast((report) => report.best)?.epoch ?? 0;
  const { test, overSeeds } = card;
  const result = { model: model.spec.name, digest: model.digest, epochs: epochs.length, best, test, overSeeds, folder };
  process.stdout.write(
    json
      ? `${JSON.stringify(result)}\n`
      : `${summary}${result.model} ${result.digest}\n${result.epochs} epochs, the best is ${best}; model.tdl and card.json are in '${folder}'\n` +
          `${result.model === SUMMARY_MODEL ? 'Forecasters read it when they start.' : "A running pipeline goes over to it with 'tideline models promote'."}\n`,
  );
}
