/**
 * Training by truncated back-propagation through time (R. Williams, J. Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of
 * Recurrent Network Trajectories", 1990): states are carried from window to window, gradients end at a window's start. Adam, clipping by norm,
 * early stop on a validation part. No clock and no chance but the seed's: the same options give the same weights, bit for bit.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ModelSpec, ModelWeights } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { familyOf } from '../spec.ts';
import { initWeights } from '../tensors.ts';
import { Adam } from './adam.ts';
import { WeightAverage } from './averaging.ts';
import type { EpochReport, TrainingCheckpoint } from './checkpoint.ts';
import { assertDropout, type Dropout } from './dropout.ts';
import { type Learning, passOver } from './epoch.ts';
import { TrainingNetwork, toWeights } from './network.ts';
import type { ProductsChoice } from './products.ts';
import { SeededRandom } from './random.ts';
import { assertSequences, type TrainingSequence } from './sequences.ts';
import { assertTrainable } from './trainable.ts';
import { TrainingError } from './training-error.ts';

export interface TrainingOptions {
  readonly spec: ModelSpec;
  readonly train: readonly TrainingSequence[];
  /** Chooses the epoch that is kept; never trained on. Without any, the training loss chooses. */
  readonly validation: readonly TrainingSequence[];
  /** At most. */
  readonly epochs: number;
  /** Rows over which the gradient flows. */
  readonly windowRows: number;
  /** Sequences side by side in one update. */
  readonly batchSequences: number;
  readonly learningRate: number;
  /** Of the learning rate over the epochs; constant unless said. Source of `cosine`: I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, without restarts. */
  readonly schedule?: 'constant' | 'cosine';
  /** Share of every parameter that an update takes away, times the learning rate (AdamW); 0 unless said. */
  readonly weightDecay?: number;
  /** Share that the moving average of the weights keeps of itself at each update; the average is validated and kept. Without, the weights are. */
  readonly averaging?: number;
  /** Which epoch's weights are kept: `best` by the validation, unless said; `last`, where the number of epochs was chosen before. */
  readonly keep?: 'best' | 'last';
  /** Largest norm of an update's gradient. */
  readonly clipNorm: number;
  /** Epochs without a better validation loss after which training stops. */
  readonly patience: number;
  /** Decides initial weights, order and dropout masks. */
  readonly seed: number;
  /** At training only. */
  readonly dropout?: Dropout;
  /** Which build of the products; all have the same bits. */
  readonly products?: ProductsChoice;
  /** Where a run of the same settings and data goes on. */
  readonly resume?: TrainingCheckpoint;
  /** Called and awaited after every epoch, before `onEpoch`. What it throws ends the training. */
  readonly checkpoint?: (checkpoint: TrainingCheckpoint) => void | Promise<void>;
  readonly onEpoch?: (report: EpochReport) => void | Promise<void>;
  /** Ends the training after the epoch that runs, with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  /** Those of the best epoch, or of the last one (`keep`). */
  readonly weights: ModelWeights;
  readonly history: readonly EpochReport[];
}

/**
 * Trains a model of `spec`. Throws ModelError where the spec cannot be trained or `resume` is of another run, and TrainingError where data, a loss
 * or a gradient is not finite.
 */
export async function trainRecurrent(options: TrainingOptions): Promise<TrainingResult> {
  const { spec, train, validation, epochs, patience, signal } = options;
  assertTrainable(spec);
  assertSettings(options);
  assertSequences('training', train, spec);
  assertSequences('validation', validation, spec);
  const run = startRun(options);
  const history = (options.resume?.history ?? []).map((report) => ({ ...report, epochs }));
  for (let epoch = history.length + 1; epoch <= epochs && epoch - run.bestEpoch <= patience; epoch += 1) {
    signal?.throwIfAborted();
    if (options.schedule === 'cosine')
      run.learning.adam.schedule = (1 + Math.cos((Math.PI * (epoch - 1)) / epochs)) / 2;
    const { loss, validationLoss } = runEpoch(options, run, epoch);
    const best = options.keep === 'last' || validationLoss < run.best;
    if (best) {
      run.best = validationLoss;
      run.bestEpoch = epoch;
      run.kept.set(run.learning.average?.values ?? run.network.parameters);
    }
    const report = { epoch, epochs, loss, validationLoss, best };
    history.push(report);
    await options.checkpoint?.(checkpointOf(run, history));
    await options.onEpoch?.(report);
  }
  return { weights: toWeights(spec, run.kept), history };
}

interface Run {
  readonly fingerprint: string;
  readonly network: TrainingNetwork;
  readonly order: SeededRandom;
  readonly learning: Learning;
  readonly kept: Float64Array;
  best: number;
  bestEpoch: number;
}

/** Random streams of a seed: initial weights and order, dropout. */
const ORDER_STREAM = 0;
const DROPOUT_STREAM = 1;

function startRun(options: TrainingOptions): Run {
  const { spec, seed, batchSequences, windowRows, dropout = {}, resume } = options;
  const order = new SeededRandom(seed, ORDER_STREAM);
  const weights = initWeights(spec, () => order.next());
  const network = new TrainingNetwork({
    ...{ spec, weights, batchSequences, windowRows, dropout },
    products: options.products ?? 'auto',
  });
  const adam = new Adam({
    size: network.parameters.length,
    learningRate: options.learningRate,
    weightDecay: options.weightDecay ?? 0,
  });
  const random = new SeededRandom(seed, DROPOUT_STREAM);
  const masked = Object.values(dropout).some((share) => share > 0);
  const run: Run = {
    ...{ fingerprint: fingerprintOf(options), network, order },
    learning: { adam, average: averageOf(options, network), clipNorm: options.clipNorm, random, dropout: masked },
    ...{ kept: network.parameters.slice(), best: Number.POSITIVE_INFINITY, bestEpoch: 0 },
  };
  if (resume) restore(run, resume, spec);
  return run;
}

function averageOf({ averaging }: TrainingOptions, network: TrainingNetwork): WeightAverage | null {
  return averaging === undefined ? null : new WeightAverage(network.parameters, averaging);
}

function restore(run: Run, from: TrainingCheckpoint, spec: ModelSpec): void {
  if (from.fingerprint !== run.fingerprint)
    throw new ModelError(
      `Model '${spec.name}': the checkpoint is of a run with other settings or other data. Use the same seed and data, or train from the start.`,
    );
  const { adam, random } = run.learning;
  run.network.parameters.set(from.parameters);
  run.kept.set(from.kept);
  adam.mean.set(from.mean);
  adam.square.set(from.square);
  if (from.average) run.learning.average?.values.set(from.average);
  adam.steps = from.adamSteps;
  run.order.state = from.orderState;
  random.state = from.dropoutState;
  run.bestEpoch = from.bestEpoch;
  if (from.bestEpoch > 0) run.best = from.history[from.bestEpoch - 1].validationLoss;
}

function checkpointOf(run: Run, history: readonly EpochReport[]): TrainingCheckpoint {
  const { adam, average, random } = run.learning;
  return {
    ...(average ? { average: average.values.slice() } : {}),
    ...{ fingerprint: run.fingerprint, history: [...history], bestEpoch: run.bestEpoch },
    ...{ orderState: run.order.state, dropoutState: random.state, adamSteps: adam.steps },
    ...{ parameters: run.network.parameters.slice(), kept: run.kept.slice() },
    ...{ mean: adam.mean.slice(), square: adam.square.slice() },
  };
}

function runEpoch(options: TrainingOptions, run: Run, epoch: number): { loss: number; validationLoss: number } {
  const { spec, train, validation, windowRows, batchSequences } = options;
  const shared = { network: run.network, epoch, windowRows, batchSequences };
  try {
    const loss = passOver({
      ...{ ...shared, part: 'training', sequences: train, order: run.order.shuffled(train), learning: run.learning },
    });
    if (validation.length === 0) return { loss, validationLoss: loss };
    run.learning.average?.exchange(run.network.parameters);
    const validationLoss = passOver({
      ...{ ...shared, part: 'validation', sequences: validation, order: validation, learning: null },
    });
    run.learning.average?.exchange(run.network.parameters);
    return { loss, validationLoss };
  } catch (error) {
    if (!(error instanceof TrainingError) || run.bestEpoch === 0) throw error;
    const { message, sequence, row } = error;
    const kept = toWeights(spec, run.kept);
    throw new TrainingError(`${message} The weights of epoch ${run.bestEpoch} are kept.`, {
      epoch,
      sequence,
      row,
      kept,
    });
  }
}

function assertSettings(options: TrainingOptions): void {
  for (const field of ['windowRows', 'batchSequences'] as const)
    assert(
      Number.isInteger(options[field]) && options[field] >= 1,
      `${field} is ${options[field]}, must be 1 or more.`,
    );
  for (const field of ['epochs', 'patience'] as const)
    assert(
      Number.isInteger(options[field]) && options[field] >= 0,
      `${field} is ${options[field]}, must be 0 or more.`,
    );
  for (const field of ['learningRate', 'clipNorm'] as const)
    assert(Number.isFinite(options[field]) && options[field] > 0, `${field} is ${options[field]}, must be above 0.`);
  const { weightDecay = 0, schedule = 'constant', averaging = 0 } = options;
  assert(averaging >= 0 && averaging < 1, `averaging is ${averaging}, must be at least 0 and less than 1.`);
  assert(weightDecay >= 0 && weightDecay < 1, `weightDecay is ${weightDecay}, must be at least 0 and less than 1.`);
  assert(['constant', 'cosine'].includes(schedule), `schedule is '${schedule}', must be 'constant' or 'cosine'.`);
  assert(options.train.length > 0, 'There are no training sequences.');
  assertWhole(options);
  assertDropout(options.dropout ?? {});
}

/** Who reads backwards, or the whole sequence, needs all of it in one window. */
function assertWhole({ spec, train, validation, windowRows }: TrainingOptions): void {
  if (!spec.bidirectional && spec.head?.scope !== 'sequence') return;
  const longest = [...train, ...validation].reduce((most, { rows }) => Math.max(most, rows), 0);
  if (longest > windowRows)
    throw new ModelError(
      `Model '${spec.name}': it reads whole sequences, the longest has ${longest} rows, but windowRows is ${windowRows}. Raise it, or cut the sequences.`,
    );
}

/** SHA-256 of what the weights depend on, but for the losses, which are functions, and `epochs`, which only says when to stop without a schedule. */
function fingerprintOf(options: TrainingOptions): string {
  const { spec, train, validation, windowRows, batchSequences, learningRate, clipNorm, patience, seed } = options;
  const { weightDecay = 0, schedule = 'constant' } = options;
  const {
    entries: ofEntries = 0,
    inputs: ofInputs = 0,
    betweenLayers = 0,
    beforeHead = 0,
    recurrent = 0,
  } = options.dropout ?? {};
  const { cell, inputSize, hiddenSize, layers, outputSize, gruReset = 'after' } = spec;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([cell, inputSize, hiddenSize, layers, outputSize, cell === 'gru' ? gruReset : '']));
  hash.update(JSON.stringify(familyOf(spec)));
  hash.update(JSON.stringify([windowRows, batchSequences, learningRate, clipNorm, patience, seed]));
  hash.update(JSON.stringify([betweenLayers, beforeHead, recurrent, train.length]));
  // Only where it is set: checkpoints from before go on.
  if (weightDecay > 0 || schedule !== 'constant' || ofInputs > 0)
    hash.update(JSON.stringify([weightDecay, schedule === 'constant' ? 0 : options.epochs, ofInputs]));
  if (ofEntries > 0) hash.update(JSON.stringify(['entries', ofEntries]));
  if (options.keep === 'last') hash.update('keep last');
  if (options.averaging !== undefined) hash.update(JSON.stringify(['averaging', options.averaging]));
  for (const { inputs, rows, entries } of [...train, ...validation]) {
    hash.update(`${rows},`);
    hash.update(new Uint8Array(inputs.buffer, inputs.byteOffset, inputs.byteLength));
    for (const part of entries ? [entries.starts, entries.entries] : [])
      hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  return hash.digest('hex');
}
