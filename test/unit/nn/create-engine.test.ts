/** Which engine serves, and that TensorFlow.js's leave nothing behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory } from '@tensorflow/tfjs-core';
import { createEngine, ENGINE_KINDS } from '@tideline/nn';
import {
  allocate,
  bitsOf,
  type ModelShape,
  modelOf,
  randomOf,
  rowsUpTo,
  statesOf,
  TICK_LIKE,
  valuesOf,
} from '../../contract/engine-model.ts';

const STEPS = 2_000;
/** Small, so that thousands of steps are quick: what leaks does so whatever the width. */
const SMALL: ModelShape = {
  cell: 'gru',
  gruReset: 'after',
  inputSize: 2,
  hiddenSize: 3,
  layers: 1,
  outputSize: 1,
};
const MODEL = modelOf(TICK_LIKE, randomOf(21));

test('every kind gives an engine and its reasons, or an error that says what to install', async () => {
  for (const kind of ENGINE_KINDS) {
    const outcome = await createEngine(MODEL, { kind, slotsMax: 4 }).catch((error: Error) => error);
    if (outcome instanceof Error) {
      assert.equal(kind, 'tfjs-node-gpu', outcome.message);
      assert.equal(outcome.name, 'BackendError');
      assert.match(outcome.message, /not installed|no GPU|one native TensorFlow/);
      continue;
    }
    if (kind !== 'auto' && kind !== 'tfjs') assert.equal(outcome.engine.name, kind);
    assert.match(outcome.reasons.at(-1) ?? '', new RegExp(`^${outcome.engine.name}: `));
    outcome.engine.dispose();
  }
});

test('auto is the reference engine without a GPU, and says why', async () => {
  const { engine, reasons } = await createEngine(MODEL, { kind: 'auto', slotsMax: 4 });
  assert(engine.name === 'reference' || engine.name === 'tfjs-node-gpu');
  assert.equal(reasons.length, engine.name === 'reference' ? 2 : 1);
  engine.dispose();
});

for (const kind of ['tfjs-cpu', 'tfjs-wasm', 'tfjs-node'] as const)
  test(`${kind} holds no tensor more after ${STEPS} steps, and none after its end`, async () => {
    const before = memory().numTensors;
    const random = randomOf(22);
    const { engine } = await createEngine(modelOf(SMALL, random), { kind, slotsMax: 4 });
    const created = memory();
    const slots = allocate(engine, 2);
    const batch = { slots, rows: rowsUpTo(2), inputs: valuesOf(random, 4), outputs: new Float32Array(2) };
    for (let step = 0; step < STEPS; step += 1) await engine.step(batch);
    const after = memory();
    assert.deepEqual([after.numTensors, after.numBytes], [created.numTensors, created.numBytes]);
    engine.dispose();
    assert.equal(memory().numTensors, before);
  });

test('engines of several backends take turns in one process without mixing their states', async () => {
  const random = randomOf(23);
  const inputs = valuesOf(random, 4 * 6);
  const kinds = ['tfjs-cpu', 'tfjs-wasm', 'tfjs-node'] as const;
  const alone = new Map<string, string>();
  for (const kind of kinds) {
    const { engine } = await createEngine(MODEL, { kind, slotsMax: 1 });
    const outputs = new Float32Array(6 * 6);
    const [slot] = allocate(engine, 1);
    await engine.run({ slot, rows: rowsUpTo(6), inputs, outputs });
    alone.set(kind, bitsOf(outputs) + bitsOf(await statesOf(engine, [slot])));
    engine.dispose();
  }
  const engines = await Promise.all(
    kinds.map(async (kind) => (await createEngine(MODEL, { kind, slotsMax: 1 })).engine),
  );
  const results = engines.map((engine) => ({ engine, slots: allocate(engine, 1), outputs: new Float32Array(6 * 6) }));
  for (let row = 0; row < 6; row += 1)
    for (const { engine, slots, outputs } of results)
      await engine.step({ slots, rows: Uint32Array.of(row), inputs, outputs });
  for (const { engine, slots, outputs } of results) {
    assert.equal(bitsOf(outputs) + bitsOf(await statesOf(engine, slots)), alone.get(engine.name));
    engine.dispose();
  }
});
