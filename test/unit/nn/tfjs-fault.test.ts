/** A step that fails on the device changes nothing: the rows in force are swapped once all tiles have succeeded. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { findBackend } from '@tensorflow/tfjs-core';
import { createEngine, type Engine, type Model } from '@tideline/nn';
import {
  allocate,
  bitsOf,
  modelOf,
  randomOf,
  rowsUpTo,
  statesOf,
  TICK_LIKE,
  valuesOf,
} from '../../contract/engine-model.ts';

/** More than the highest tile's rows, so that a step is several runs of the graph. */
const SERIES = 500;

interface Addon {
  runSavedModel(...given: readonly unknown[]): unknown;
}

/** Stands before every run of a graph. */
let fault: () => void = () => undefined;

before(async () => {
  const { engine } = await createEngine(modelOf(TICK_LIKE, randomOf(50)), { kind: 'tfjs-node', slotsMax: 1 });
  engine.dispose();
  const backend = findBackend('tensorflow') as unknown as { binding: Addon };
  const addon = backend.binding;
  const runSavedModel = (...given: readonly unknown[]): unknown => {
    fault();
    return addon.runSavedModel(...given);
  };
  backend.binding = Object.create(addon, { runSavedModel: { value: runSavedModel } });
});

test('tfjs-node: a step or run whose later part fails on the device changes no state and no output, and can be done again', async () => {
  const random = randomOf(51);
  const model = modelOf(TICK_LIKE, random);
  const written = valuesOf(random, SERIES * 64);
  const inputs = valuesOf(random, SERIES * 4);
  const [engine, undisturbed] = [await loaded(model, written), await loaded(model, written)];
  const slots = rowsUpTo(SERIES);
  const outputs = new Float32Array(SERIES * 6);
  const earlier = bitsOf(await statesOf(engine, slots));
  const step = { slots, rows: rowsUpTo(SERIES), inputs, outputs };
  const run = { slot: 3, rows: rowsUpTo(5), inputs, outputs };
  for (const fails of [() => engine.step(step), () => engine.run(run)]) {
    await failingAt(2, fails);
    assert.equal(bitsOf(await statesOf(engine, slots)), earlier);
    assert.ok(outputs.every((value) => value === 0));
  }
  const expected = new Float32Array(SERIES * 6);
  await engine.step(step);
  await undisturbed.step({ ...step, outputs: expected });
  assert.equal(bitsOf(outputs), bitsOf(expected));
  assert.equal(bitsOf(await statesOf(engine, slots)), bitsOf(await statesOf(undisturbed, slots)));
  engine.dispose();
  undisturbed.dispose();
});

test('tfjs-node: states that wait to be written survive a device that fails when they are', async () => {
  const random = randomOf(52);
  const model = modelOf(TICK_LIKE, random);
  const written = valuesOf(random, SERIES * 64);
  const engine = await loaded(model, written, { onDevice: false });
  await failingAt(1, async () => void (await statesOf(engine, rowsUpTo(SERIES))));
  assert.equal(bitsOf(await statesOf(engine, rowsUpTo(SERIES))), bitsOf(written));
  engine.dispose();
});

/** An engine with `SERIES` slots of the given states. */
async function loaded(model: Model, states: Float32Array, { onDevice } = { onDevice: true }): Promise<Engine> {
  const { engine } = await createEngine(model, { kind: 'tfjs-node', slotsMax: SERIES });
  const slots = allocate(engine, SERIES);
  engine.writeStates(slots, states);
  if (onDevice) await statesOf(engine, slots);
  return engine;
}

/** Lets the `call`-th run of a graph fail, as one that the device has no memory for. */
async function failingAt(call: number, work: () => void | Promise<void>): Promise<void> {
  let left = call;
  fault = () => {
    left -= 1;
    if (left === 0) throw new Error('OOM when allocating tensor');
  };
  try {
    await assert.rejects(async () => work(), /OOM/);
  } finally {
    fault = () => undefined;
  }
}
