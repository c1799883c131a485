import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument, InvalidArgumentError } from '@commander-js/extra-typings';
import { type EpochReport, saveModel } from '@tideline/nn';
import { type TrainedModel, type TrainerOptions, trainCalls, trainTicks } from '@tideline/trainer';
import { SingleBar } from 'cli-progress';
import type { Program } from '../program.ts';

const TRAINERS = { ticks: trainTicks, calls: trainCalls } as const satisfies Record<
  string,
  (options: TrainerOptions) => TrainedModel
>;

export function addTrain(program: Program): void {
  program
    .command('train')
    .description(
      'train the shipped model of a stream from data that npm packages ship or that is generated, and write model.tdl and card.json',
    )
    .addArgument(new Argument('<stream>', 'stream of the model').choices(['ticks', 'calls'] as const))
    .option('--out <folder>', 'folder of the models', 'models')
    .option('--seed <number>', 'seed of weights, order and generated data', wholeNumber, 1)
    .option('--epochs <number>', 'epochs at most', wholeNumber, 30)
    .action((stream, options) => program.run('train', () => train(stream, options)));
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number, 0 or more.');
  return value;
}

async function train(
  stream: keyof typeof TRAINERS,
  options: { readonly out: string; readonly seed: number; readonly epochs: number },
): Promise<void> {
  const progress = epochProgress(options.epochs);
  const { model, card } = TRAINERS[stream]({ ...options, onEpoch: progress.onEpoch });
  progress.stop();
  const folder = join(options.out, model.spec.name);
  await saveModel(join(folder, 'model.tdl'), model, card);
  await writeFile(join(folder, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
  process.stdout.write(
    `${JSON.stringify({ model: model.spec.name, digest: model.digest, test: card.test, folder })}\n`,
  );
}

/** A bar on a terminal, plain lines in a pipe. */
function epochProgress(epochs: number): { readonly onEpoch: (report: EpochReport) => void; readonly stop: () => void } {
  if (process.stderr.isTTY !== true)
    return {
      onEpoch: ({ epoch, loss, validationLoss, best }) =>
        void process.stderr.write(
          `epoch ${epoch}/${epochs} loss ${loss.toFixed(5)} validation ${validationLoss.toFixed(5)}${best ? ' (best)' : ''}\n`,
        ),
      stop: () => undefined,
    };
  const bar = new SingleBar({
    format: 'train [{bar}] {value}/{total} loss {loss} validation {validation} | {eta_formatted} left',
    stream: process.stderr,
  });
  bar.start(epochs, 0, { loss: '-', validation: '-' });
  return {
    onEpoch: ({ epoch, loss, validationLoss }) =>
      bar.update(epoch, { loss: loss.toFixed(4), validation: validationLoss.toFixed(4) }),
    stop: () => bar.stop(),
  };
}
