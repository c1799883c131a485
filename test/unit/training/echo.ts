/** A small task that only a memory solves. */
import {
  type CellKind,
  createModel,
  type ModelSpec,
  SeededRandom,
  type TrainingOptions,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';

export const ROWS = 90;

export function specOf(cell: CellKind): ModelSpec {
  return { name: 'echo', cell, inputSize: 1, hiddenSize: 8, layers: 1, outputSize: 1 };
}

/** The target is the input two rows back: nothing in the row itself tells it, only a carried state does. */
export function echo(random: SeededRandom, rows = ROWS): TrainingSequence {
  const inputs = Float32Array.from({ length: rows }, () => (random.next() < 0.5 ? -1 : 1));
  return {
    inputs,
    rows,
    loss(outputs, row, gradient) {
      if (row < 2) return null;
      const error = outputs[0] - inputs[row - 2];
      gradient[0] = error;
      return (error * error) / 2;
    },
  };
}

export function optionsOf(cell: CellKind, changes: Partial<TrainingOptions> = {}): TrainingOptions {
  const random = new SeededRandom(3);
  return {
    spec: specOf(cell),
    // Lengths differ, so that batches hold sequences that end early.
    train: Array.from({ length: 24 }, (_, i) => echo(random, ROWS - (i % 5) * 7)),
    validation: Array.from({ length: 4 }, () => echo(random)),
    epochs: 14,
    windowRows: 20,
    batchSequences: 6,
    learningRate: 0.02,
    clipNorm: 1,
    patience: 30,
    seed: 5,
    ...changes,
  };
}

export async function digestOf(options: TrainingOptions): Promise<string> {
  const { weights } = await trainRecurrent(options);
  return createModel(options.spec, weights).digest;
}
