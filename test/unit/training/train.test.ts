import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CellKind,
  createBatch,
  initWeights,
  ModelError,
  type ModelSpec,
  SeededRandom,
  TrainingNetwork,
  type TrainingSequence,
  tensorsOf,
  trainRecurrent,
  windowOf,
} from '@tideline/nn';
import { digestOf, optionsOf, ROWS, specOf } from './echo.ts';

/** Loss of the best answer without a memory: always 0, against -1 and 1. */
const BASELINE = 0.5;

for (const cell of ['rnn', 'lstm', 'gru'] as const)
  test(`a ${cell} learns to repeat what it saw two rows ago, which no answer without a memory can`, async () => {
    const { history } = await trainRecurrent(optionsOf(cell));
    const best = Math.min(...history.map(({ validationLoss }) => validationLoss));
    assert.ok(best < BASELINE / 10, `validation loss ${best}, ${BASELINE} without a memory`);
  });

for (const [form, changes] of [
  ['an lstm with peepholes', { cell: 'lstm', peephole: true }],
  ['a layer-normalised lstm', { cell: 'lstm', layerNorm: true }],
  ['an lstm with an input layer and a skip', { cell: 'lstm', inputLayer: 6, skipConnection: true }],
] as const)
  test(`${form} learns it, too`, async () => {
    const { history } = await trainRecurrent(
      optionsOf('lstm', { spec: { ...specOf('lstm'), ...changes }, epochs: 12 }),
    );
    const best = Math.min(...history.map(({ validationLoss }) => validationLoss));
    assert.ok(best < BASELINE / 10, `validation loss ${best}, ${BASELINE} without a memory`);
  });

test('the same seed gives the same weights, bit for bit, and another seed gives others', async () => {
  const digest = async (seed: number): Promise<string> => digestOf(optionsOf('gru', { epochs: 3, seed }));
  assert.equal(await digest(5), await digest(5));
  assert.notEqual(await digest(5), await digest(6));
});

test('where the last epoch is to be kept, no validation chooses another one', async () => {
  // The more the network learns, the worse it is on sequences whose targets are the other way round.
  const options = optionsOf('gru', { epochs: 4 });
  const opposed = options.validation.map(
    (one): TrainingSequence => ({
      ...one,
      loss: (outputs, row, gradient) =>
        one.loss(
          outputs.map((value) => -value),
          row,
          gradient,
        ),
    }),
  );
  const [kept, best, alone] = [
    await digestOf({ ...options, validation: opposed, keep: 'last' }),
    await digestOf({ ...options, validation: opposed }),
    await digestOf({ ...options, validation: [], keep: 'last' }),
  ];
  assert.equal(kept, alone);
  assert.notEqual(kept, best);
});

test('an average of the weights without memory is the weights; with one it is what is validated and kept', async () => {
  const digest = (averaging: number | null): Promise<string> =>
    digestOf(optionsOf('gru', { epochs: 3, ...(averaging === null ? {} : { averaging }) }));
  assert.equal(await digest(0), await digest(null));
  assert.notEqual(await digest(0.9), await digest(null));
  const options = optionsOf('gru', { epochs: 3, averaging: 0.98 });
  const { weights, history } = await trainRecurrent(options);
  const best = Math.min(...history.map(({ validationLoss }) => validationLoss));
  const network = new TrainingNetwork({ spec: options.spec, weights, batchSequences: 1, windowRows: ROWS });
  let [sum, rows] = [0, 0];
  for (const sequence of options.validation) {
    const window = windowOf(createBatch([sequence]), 0, ROWS);
    network.reset();
    network.forward(window, false);
    for (let row = 0; row < sequence.rows; row += 1) {
      const loss = sequence.loss(network.outputs.subarray(row, row + 1), row, new Float64Array(1));
      if (loss !== null) [sum, rows] = [sum + loss, rows + 1];
    }
  }
  assert.ok(Math.abs(sum / rows - best) < 1e-6, `${sum / rows} against ${best}`);
});

for (const cell of ['rnn', 'lstm', 'gru'] as const)
  test(`the WebAssembly products and the plain loop train a ${cell} to the same bits, at sizes that fill no vector`, async () => {
    const digest = (products: 'wasm' | 'script'): Promise<string> =>
      digestOf(
        optionsOf(cell, {
          ...{ spec: { ...specOf(cell), hiddenSize: 11, layers: 2 }, epochs: 2, products },
          dropout: { betweenLayers: 0.2, beforeHead: 0.2, recurrent: 0.2 },
        }),
      );
    assert.equal(await digest('wasm'), await digest('script'));
  });

test('training stops when the validation loss gets no better, and keeps the weights of the best epoch', async () => {
  // What is right in training is wrong in validation: the better it learns, the worse it gets there.
  const random = new SeededRandom(3);
  const constant = (target: number): TrainingSequence => ({
    inputs: Float32Array.from({ length: ROWS }, () => random.next()),
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
  const { weights, history } = await trainRecurrent(optionsOf('gru', opposed));
  assert.equal(history.length, 4, 'the first epoch and three that were no better');
  assert.deepEqual(
    history.map(({ best }) => best),
    [true, false, false, false],
  );
  const first = await trainRecurrent(optionsOf('gru', { ...opposed, epochs: 1 }));
  assert.deepEqual(tensorsOf(weights), tensorsOf(first.weights));
});

test('progress is told after every epoch', async () => {
  const epochs: string[] = [];
  await trainRecurrent(
    optionsOf('rnn', { epochs: 3, onEpoch: ({ epoch, epochs: of }) => void epochs.push(`${epoch}/${of}`) }),
  );
  assert.deepEqual(epochs, ['1/3', '2/3', '3/3']);
});

test('a signal ends the training after the epoch that runs', async () => {
  const stop = new AbortController();
  let epochs = 0;
  const onEpoch = (): void => {
    epochs += 1;
    if (epochs === 2) stop.abort();
  };
  await assert.rejects(trainRecurrent(optionsOf('rnn', { onEpoch, signal: stop.signal })), { name: 'AbortError' });
  assert.equal(epochs, 2);
});

test('dropout changes what is learnt, by the seed alone, and is off at evaluation', async () => {
  const dropout = { beforeHead: 0.5, recurrent: 0.2 };
  const plain = await trainRecurrent(optionsOf('gru', { epochs: 2 }));
  const [first, second] = await Promise.all([
    trainRecurrent(optionsOf('gru', { epochs: 2, dropout })),
    trainRecurrent(optionsOf('gru', { epochs: 2, dropout })),
  ]);
  assert.deepEqual(tensorsOf(first.weights), tensorsOf(second.weights));
  assert.notDeepEqual(tensorsOf(first.weights), tensorsOf(plain.weights));
  // A rate so small that no weight moves: what is left of dropout is what evaluation makes of it.
  const still = { epochs: 1, learningRate: 1e-300 };
  const [masked, whole] = await Promise.all([
    trainRecurrent(optionsOf('gru', { ...still, dropout })),
    trainRecurrent(optionsOf('gru', still)),
  ]);
  assert.equal(masked.history[0].validationLoss, whole.history[0].validationLoss);
  assert.notEqual(masked.history[0].loss, whole.history[0].loss);
});

test('a mask leaves out the share that was asked for, and the mean of what it lets through stays', () => {
  const count = 20_000;
  const loss = (outputs: Float64Array): number => outputs[0];
  const inputs = new Float32Array(count);
  const spec: ModelSpec = { ...specOf('rnn'), hiddenSize: 1 };
  const weights = initWeights(spec, () => 0.5);
  // h is tanh(1) on every row, and the output is h itself.
  weights.layers[0].bIh.fill(1);
  weights.headW.fill(1);
  const window = windowOf(createBatch([{ inputs, rows: count, loss }]), 0, count);
  const network = new TrainingNetwork({
    ...{ spec, weights, batchSequences: 1, windowRows: count, dropout: { beforeHead: 0.3 } },
  });
  network.drawRowMasks(new SeededRandom(1), window);
  network.forward(window, true);
  const out = network.outputs.filter((value) => value === 0).length / count;
  const mean = network.outputs.reduce((sum, value) => sum + value, 0) / count;
  assert.ok(Math.abs(out - 0.3) < 0.02, `left out ${out}`);
  assert.ok(Math.abs(mean - Math.tanh(1)) < 0.02, `mean ${mean}`);
});

const REFUSED: Readonly<Record<string, Partial<ModelSpec> & { readonly cell?: CellKind }>> = {
  decoder: { decoder: {} },
  'head.scope': { bidirectional: true, head: { kind: 'linear', scope: 'last-step' } },
};
for (const [field, form] of Object.entries(REFUSED))
  test(`a spec with ${field} is refused with the cure, not trained as if it had none`, async () => {
    const spec: ModelSpec = { ...specOf('gru'), ...form };
    assert.ok(
      initWeights(spec, () => 0.5),
      'it is a model',
    );
    await assert.rejects(
      trainRecurrent(optionsOf('gru', { spec })),
      (error: unknown) => error instanceof ModelError && error.message.includes(`gradient of ${field}`),
    );
  });
