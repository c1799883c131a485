import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type EpochReport,
  type TrainingCheckpoint,
  TrainingError,
  type TrainingOptions,
  type TrainingSequence,
  tensorsOf,
  trainRecurrent,
} from '@tideline/nn';
import { optionsOf } from './echo.ts';

/** What the training broke with. */
async function brokenBy(options: TrainingOptions): Promise<TrainingError> {
  try {
    await trainRecurrent(options);
  } catch (error) {
    assert.ok(error instanceof TrainingError, String(error));
    return error;
  }
  assert.fail('The training did not break.');
}

function placed(options: TrainingOptions, index: number, changes: Partial<TrainingSequence>): TrainingOptions {
  const train = [...options.train];
  train[index] = { ...train[index], ...changes };
  return { ...options, train };
}

for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
  test(`an input that is ${value} is named before the first epoch, with its sequence and row`, async () => {
    const options = optionsOf('gru');
    const inputs = options.train[3].inputs.slice();
    inputs[17] = value;
    const epochs: EpochReport[] = [];
    const error = await brokenBy({
      ...placed(options, 3, { inputs, name: 'AAPL' }),
      onEpoch: (report) => void epochs.push(report),
    });
    assert.deepEqual([error.epoch, error.sequence, error.row, error.kept], [0, 3, 17, null]);
    assert.match(error.message, new RegExp(`training sequence 3 \\(AAPL\\) has ${value} in row 17, input 0`));
    assert.deepEqual(epochs, []);
  });

test('a sequence whose inputs do not fill its rows, or that has none, is named', async () => {
  const options = optionsOf('gru');
  for (const changes of [{ rows: 3 }, { rows: 0, inputs: new Float32Array(0) }, { rows: 1.5 }]) {
    const error = await brokenBy(placed(options, 5, changes));
    assert.equal(error.sequence, 5);
    assert.match(error.message, /training sequence 5 has \d+ inputs/);
  }
});

test('entries of a table that do not fit the rows, or that nothing reads, are named', async () => {
  const options = optionsOf('gru');
  const entries = { starts: new Uint32Array(2), entries: new Uint32Array(0) };
  const unread = await brokenBy(placed(options, 2, { entries }));
  assert.match(unread.message, /training sequence 2 has entries, but the model has no embedding/);
  const spec = { ...options.spec, embedding: { buckets: 4, size: 1 } };
  const missing = await brokenBy({ ...options, spec });
  assert.match(missing.message, /training sequence 0 has no entries that fit it: .* below 4/);
  const { rows } = options.train[0];
  const high = { starts: Uint32Array.from({ length: rows + 1 }, (_, t) => t), entries: new Uint32Array(rows).fill(4) };
  assert.match(
    (await brokenBy({ ...placed(options, 0, { entries: high }), spec })).message,
    /sequence 0 has no entries/,
  );
});

test('a loss that becomes NaN ends the training with epoch, sequence and row, and the best weights before it are kept', async () => {
  const options = optionsOf('lstm', { epochs: 6 });
  let calls = 0;
  const loss: TrainingSequence['loss'] = (outputs, row, gradient) => {
    if (row === 40) calls += 1;
    return row === 40 && calls === 3 ? Number.NaN : options.train[7].loss(outputs, row, gradient);
  };
  const checkpoints: TrainingCheckpoint[] = [];
  const error = await brokenBy({
    ...placed(options, 7, { loss, name: 'SP500' }),
    checkpoint: (checkpoint) => void checkpoints.push(checkpoint),
  });
  assert.deepEqual([error.epoch, error.sequence, error.row], [3, 7, 40]);
  assert.match(error.message, /^Epoch 3, training sequence 7 \(SP500\), row 40: the loss is NaN\..* epoch 2 are kept/);
  assert.equal(checkpoints.length, 2, 'the broken epoch left no checkpoint');
  const best = await trainRecurrent({ ...options, epochs: 2 });
  assert.ok(error.kept);
  assert.deepEqual(tensorsOf(error.kept), tensorsOf(best.weights));
});

test('a gradient that is not finite is named by output, also where the loss is finite', async () => {
  const options = optionsOf('gru');
  const loss: TrainingSequence['loss'] = (_outputs, row, gradient) => {
    gradient[0] = row === 9 ? Number.NaN : 0;
    return 1;
  };
  const error = await brokenBy(placed(options, 0, { loss }));
  assert.deepEqual([error.epoch, error.sequence, error.row], [1, 0, 9]);
  assert.match(error.message, /gradient of output 0 is NaN/);
});

test('a gradient whose norm overflows ends the training before any weight becomes NaN', async () => {
  const options = optionsOf('gru');
  const loss: TrainingSequence['loss'] = (_outputs, _row, gradient) => {
    gradient[0] = 1e200;
    return 1;
  };
  const error = await brokenBy({ ...options, train: [{ ...options.train[0], loss }] });
  assert.deepEqual([error.epoch, error.sequence, error.row], [1, 0, 0]);
  assert.match(error.message, /norm over the window that starts there is Infinity/);
});

test('a loss that is infinite in validation is named as such', async () => {
  const options = optionsOf('gru');
  const validation = [options.validation[0], { ...options.validation[1], loss: () => Number.POSITIVE_INFINITY }];
  const error = await brokenBy({ ...options, validation });
  assert.match(error.message, /^Epoch 1, validation sequence 1, row 0: the loss is Infinity/);
});

test('settings that no training can have are refused by name', async () => {
  const wrong: readonly Partial<TrainingOptions>[] = [
    { windowRows: 0 },
    { batchSequences: 1.5 },
    { epochs: -1 },
    { learningRate: Number.NaN },
    { clipNorm: 0 },
    { dropout: { recurrent: 1 } },
    { dropout: { betweenLayers: Number.NaN } },
  ];
  for (const changes of wrong) {
    const [field, value] = Object.entries(changes)[0];
    const name = typeof value === 'object' ? `dropout.${Object.keys(value as object)[0]}` : field;
    await assert.rejects(trainRecurrent(optionsOf('gru', changes)), new RegExp(`${name} is `));
  }
});
