import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createModel,
  decodeCheckpoint,
  encodeCheckpoint,
  ModelError,
  type TrainingCheckpoint,
  type TrainingOptions,
  trainRecurrent,
} from '@tideline/nn';
import { digestOf, optionsOf, specOf } from './echo.ts';

const EPOCHS = 5;

/** All that may go wrong is in it: two layers, dropout, states that are carried, an early stop that is near. */
function options(changes: Partial<TrainingOptions> = {}): TrainingOptions {
  return optionsOf('lstm', {
    ...{ spec: { ...specOf('lstm'), layers: 2 }, epochs: EPOCHS, patience: 2, learningRate: 0.05 },
    dropout: { betweenLayers: 0.2, recurrent: 0.1 },
    ...changes,
  });
}

async function checkpointsOf(changes: Partial<TrainingOptions> = {}): Promise<TrainingCheckpoint[]> {
  const kept: TrainingCheckpoint[] = [];
  await trainRecurrent(options({ ...changes, checkpoint: (checkpoint) => void kept.push(checkpoint) }));
  return kept;
}

test('a training that goes on from any of its checkpoints ends with the bits and the history of one that never stopped', async () => {
  const whole: TrainingCheckpoint[] = [];
  const result = await trainRecurrent(options({ checkpoint: (checkpoint) => void whole.push(checkpoint) }));
  const digest = createModel(options().spec, result.weights).digest;
  assert.equal(whole.length, EPOCHS);
  for (const checkpoint of whole) {
    const resume = decodeCheckpoint(encodeCheckpoint(checkpoint));
    assert.deepEqual(resume, checkpoint, 'a checkpoint is the same after it was written and read');
    const rest: TrainingCheckpoint[] = [];
    const resumed = await trainRecurrent(options({ resume, checkpoint: (one) => void rest.push(one) }));
    assert.equal(createModel(options().spec, resumed.weights).digest, digest);
    assert.deepEqual(resumed.history, result.history);
    assert.deepEqual(rest, whole.slice(checkpoint.history.length), 'its own checkpoints are the same, too');
  }
});

test('so does one with an input layer, a skip, weight decay and a learning rate that falls over the epochs', async () => {
  const changes: Partial<TrainingOptions> = {
    spec: { ...options().spec, inputLayer: 5, skipConnection: true },
    averaging: 0.9,
    ...{ weightDecay: 0.01, schedule: 'cosine', dropout: { inputs: 0.1, betweenLayers: 0.2 } },
  };
  const digest = await digestOf(options(changes));
  const [first, second] = await checkpointsOf(changes);
  for (const resume of [first, second]) assert.equal(await digestOf(options({ ...changes, resume })), digest);
  // A schedule runs over the epochs: another number of them is another training.
  await assert.rejects(trainRecurrent(options({ ...changes, epochs: 9, resume: first })), /other settings/);
});

test('a finished training goes on to more epochs as if they had been asked for at once', async () => {
  const [, , last] = await checkpointsOf({ epochs: 3 });
  assert.equal(await digestOf(options({ resume: last })), await digestOf(options()));
});

test('patience runs on over a resume: a training that had stopped early stays stopped', async () => {
  const stopping = { patience: 0, epochs: 40 };
  const all = await checkpointsOf(stopping);
  assert.ok(all.length < 40);
  const again = await checkpointsOf({ ...stopping, resume: all[all.length - 1] });
  assert.deepEqual(again, []);
});

test('a checkpoint of another seed, other settings or other data is refused', async () => {
  const [resume] = await checkpointsOf({ epochs: 1 });
  const { train } = options();
  const others: readonly Partial<TrainingOptions>[] = [
    { seed: 6 },
    { windowRows: 21 },
    { dropout: {} },
    { weightDecay: 0.1 },
    { schedule: 'cosine' },
    { train: train.slice(1) },
    { train: [{ ...train[0], inputs: train[0].inputs.map((value) => -value) }, ...train.slice(1)] },
    { train: [train[1], train[0], ...train.slice(2)] },
  ];
  for (const changes of others)
    await assert.rejects(
      trainRecurrent(options({ ...changes, resume })),
      (error: unknown) => error instanceof ModelError && /other settings or other data/.test(error.message),
      JSON.stringify(Object.keys(changes)),
    );
});

test('a damaged, truncated or foreign checkpoint file is refused by name', async () => {
  const [checkpoint] = await checkpointsOf({ epochs: 1 });
  const bytes = encodeCheckpoint(checkpoint);
  const changed = (at: number, value: number): Uint8Array => {
    const copy = Uint8Array.from(bytes);
    copy[at] = value;
    return copy;
  };
  const cases: readonly [Uint8Array, RegExp][] = [
    [bytes.subarray(0, bytes.length - 1), /'run.ckpt' is damaged or truncated/],
    [changed(200, bytes[200] ^ 1), /'run.ckpt' is damaged or truncated/],
    [bytes.subarray(0, 10), /'run.ckpt' is no checkpoint/],
    [Buffer.from('TIDELINE'.repeat(20)), /'run.ckpt' is no checkpoint/],
    [changed(8, 9), /'run.ckpt' has format version 9/],
  ];
  for (const [bad, message] of cases)
    assert.throws(
      () => decodeCheckpoint(bad, "'run.ckpt'"),
      (error: unknown) => error instanceof ModelError && message.test(error.message),
    );
});
