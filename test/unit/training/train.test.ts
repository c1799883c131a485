import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CellKind,
  initWeights,
  ModelError,
  type ModelSpec,
  type TrainingOptions,
  type TrainingSequence,
  tensorsOf,
  trainRecurrent,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';

const ROWS = 90;

function specOf(cell: CellKind): ModelSpec {
  return { name: 'echo', cell, inputSize: 1, hiddenSize: 8, layers: 1, outputSize: 1 };
}

/** The target is the input two rows back: nothing in the row itself tells it, only a carried state does. */
function echo(random: () => number): TrainingSequence {
  const inputs = Float32Array.from({ length: ROWS }, () => (random() < 0.5 ? -1 : 1));
  return {
    inputs,
    rows: ROWS,
    loss(outputs, row, gradient) {
      if (row < 2) return null;
      const error = outputs[0] - inputs[row - 2];
      gradient[0] = error;
      return (error * error) / 2;
    },
  };
}

function options(cell: CellKind, changes: Partial<TrainingOptions> = {}): TrainingOptions {
  const random = mulberry32(3);
  return {
    spec: specOf(cell),
    train: Array.from({ length: 24 }, () => echo(random)),
    validation: Array.from({ length: 4 }, () => echo(random)),
    epochs: 30,
    windowRows: 20,
    batchSequences: 6,
    learningRate: 0.02,
    clipNorm: 1,
    patience: 30,
    random: mulberry32(5),
    ...changes,
  };
}

/** Loss of the best answer without a memory: always 0, against -1 and 1. */
const BASELINE = 0.5;

for (const cell of ['rnn', 'lstm', 'gru'] as const)
  test(`a ${cell} learns to repeat what it saw two rows ago, which no answer without a memory can`, () => {
    const { history } = trainRecurrent(options(cell));
    const best = Math.min(...history.map(({ validationLoss }) => validationLoss));
    assert.ok(best < BASELINE / 10, `validation loss ${best}, ${BASELINE} without a memory`);
  });

test('the same seed gives the same weights, bit for bit, and another seed gives others', () => {
  const bytes = (seed: number): string =>
    tensorsOf(trainRecurrent(options('gru', { epochs: 3, random: mulberry32(seed) })).weights)
      .map((tensor) => Buffer.from(tensor.buffer, tensor.byteOffset, tensor.byteLength).toString('hex'))
      .join();
  assert.equal(bytes(5), bytes(5));
  assert.notEqual(bytes(5), bytes(6));
});

test('training stops when the validation loss gets no better, and keeps the weights of the best epoch', () => {
  // What is right in training is wrong in validation: the better it learns, the worse it gets there.
  const random = mulberry32(3);
  const constant = (target: number): TrainingSequence => ({
    inputs: Float32Array.from({ length: ROWS }, () => random()),
    rows: ROWS,
    loss(outputs, _row, gradient) {
      gradient[0] = outputs[0] - target;
      return (outputs[0] - target) ** 2 / 2;
    },
  });
  const opposed = {
    train: Array.from({ length: 12 }, () => constant(2)),
    validation: [constant(-2)],
    epochs: 40,
    patience: 3,
  };
  const { weights, history } = trainRecurrent(options('gru', opposed));
  assert.equal(history.length, 4, 'the first epoch and three that were no better');
  assert.deepEqual(
    history.map(({ best }) => best),
    [true, false, false, false],
  );
  const first = trainRecurrent(options('gru', { ...opposed, epochs: 1 }));
  assert.deepEqual(tensorsOf(weights), tensorsOf(first.weights));
});

test('progress is told after every epoch', () => {
  const epochs: string[] = [];
  trainRecurrent(options('rnn', { epochs: 3, onEpoch: ({ epoch, epochs: of }) => epochs.push(`${epoch}/${of}`) }));
  assert.deepEqual(epochs, ['1/3', '2/3', '3/3']);
});

test('a GRU whose reset stands before the product is refused with the cure, not trained as if it stood after', () => {
  const spec: ModelSpec = { ...specOf('gru'), gruReset: 'before' };
  assert.ok(initWeights(spec, mulberry32(1)), 'it can be run');
  assert.throws(
    () => trainRecurrent(options('gru', { spec })),
    (error: unknown) => error instanceof ModelError && /'echo'.*reset 'after'/.test(error.message),
  );
});
