import type { ModelSpec, ModelWeights } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { initWeights } from '../tensors.ts';
import { Adam } from './adam.ts';
import {
  createParameters,
  loadParameters,
  type Parameters,
  parameterCount,
  type RowLoss,
  runWindow,
  storeParameters,
  zeroState,
} from './network-gradient.ts';

/** One series in time order. */
export interface TrainingSequence {
  /** [rows][inputSize] */
  readonly inputs: Float32Array;
  readonly rows: number;
  readonly loss: RowLoss;
}

/** Progress after an epoch. */
export interface EpochReport {
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly validationLoss: number;
  readonly best: boolean;
}

export interface TrainingOptions {
  readonly spec: ModelSpec;
  readonly train: readonly TrainingSequence[];
  /** Chooses the epoch that is kept; never trained on. */
  readonly validation: readonly TrainingSequence[];
  readonly epochs: number;
  /** Rows over which the gradient flows. */
  readonly windowRows: number;
  /** Sequences side by side in one update. */
  readonly batchSequences: number;
  readonly learningRate: number;
  readonly clipNorm: number;
  /** Epochs without a better validation loss after which training stops. */
  readonly patience: number;
  /** Uniform in [0, 1); decides initial weights and order. */
  readonly random: () => number;
  readonly onEpoch?: (report: EpochReport) => void;
}

/** Truncated back-propagation through time with states carried from window to window. Returns the weights of the best epoch on the validation part. */
export function trainRecurrent(options: TrainingOptions): {
  readonly weights: ModelWeights;
  readonly history: readonly EpochReport[];
} {
  const { spec, train, validation, epochs, patience, random } = options;
  if (spec.cell === 'gru' && spec.gruReset === 'before')
    throw new ModelError(`Model '${spec.name}': training knows the GRU's reset 'after' only. Leave gruReset out.`);
  const weights = loadParameters(spec, initWeights(spec, random));
  const adam = new Adam({ size: parameterCount(spec), learningRate: options.learningRate });
  const history: EpochReport[] = [];
  let best = Number.POSITIVE_INFINITY;
  let bestEpoch = 0;
  let kept = weights.flat.slice();
  for (let epoch = 1; epoch <= epochs && epoch - bestEpoch <= patience; epoch += 1) {
    const loss = trainEpoch(options, weights, adam, shuffled(train, random));
    const validationLoss = validation.length > 0 ? meanLoss(spec, weights, validation) : loss;
    const isBest = validationLoss < best;
    if (isBest) {
      best = validationLoss;
      bestEpoch = epoch;
      kept = weights.flat.slice();
    }
    const report = { epoch, epochs, loss, validationLoss, best: isBest };
    history.push(report);
    options.onEpoch?.(report);
  }
  return { weights: storeParameters(spec, kept), history };
}

/** Mean loss a row over whole sequences. */
export function meanLoss(spec: ModelSpec, weights: Parameters, sequences: readonly TrainingSequence[]): number {
  let loss = 0;
  let rows = 0;
  for (const { inputs, rows: to, loss: rowLoss } of sequences) {
    const result = runWindow({
      spec,
      weights,
      inputs,
      from: 0,
      to,
      state: zeroState(spec),
      loss: rowLoss,
      gradients: null,
    });
    loss += result.loss;
    rows += result.rows;
  }
  return loss / Math.max(1, rows);
}

function trainEpoch(
  options: TrainingOptions,
  weights: Parameters,
  adam: Adam,
  sequences: readonly TrainingSequence[],
): number {
  const { spec, windowRows, batchSequences, clipNorm } = options;
  const gradients = createParameters(spec);
  let lossSum = 0;
  let rowSum = 0;
  for (let first = 0; first < sequences.length; first += batchSequences) {
    const batch = sequences
      .slice(first, first + batchSequences)
      .map((sequence) => ({ sequence, state: zeroState(spec) }));
    const longest = Math.max(...batch.map(({ sequence }) => sequence.rows));
    for (let from = 0; from < longest; from += windowRows) {
      gradients.flat.fill(0);
      let rows = 0;
      for (const { sequence, state } of batch) {
        if (from >= sequence.rows) continue;
        const to = Math.min(from + windowRows, sequence.rows);
        const result = runWindow({
          spec,
          weights,
          inputs: sequence.inputs,
          from,
          to,
          state,
          loss: sequence.loss,
          gradients,
        });
        lossSum += result.loss;
        rows += result.rows;
      }
      rowSum += rows;
      if (rows === 0) continue;
      for (let i = 0; i < gradients.flat.length; i += 1) gradients.flat[i] /= rows;
      adam.update(weights.flat, gradients.flat, clipNorm);
    }
  }
  return lossSum / Math.max(1, rowSum);
}

/** Fisher-Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
