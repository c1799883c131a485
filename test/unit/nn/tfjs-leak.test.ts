/** What TensorFlow.js's engines hold does not grow with their steps: counted tensors, and the memory of the process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBackend, memory } from '@tensorflow/tfjs-core';
import { createEngine, type Engine } from '@tideline/nn';
import {
  allocate,
  type ModelShape,
  modelOf,
  randomOf,
  rowsUpTo,
  statesOf,
  valuesOf,
} from '../../contract/engine-model.ts';

const WIDTH = 50;
/** Part of the steps before the process is weighed: until then pools and caches fill. */
const WARM_UP = 0.2;
/** A batch's outputs are 3 KB, its states 26 KB: kept, those of 1,600 batches would be 5 and 42 MB. Without a leak 0 to 20 MB came and went. */
const GROWTH_MAX_BYTES = 40e6;

const NARROW: ModelShape = {
  cell: 'gru',
  gruReset: 'after',
  inputSize: 2,
  hiddenSize: 3,
  layers: 1,
  outputSize: 1,
};
const WIDE: ModelShape = {
  cell: 'lstm',
  gruReset: 'after',
  inputSize: 4,
  hiddenSize: 64,
  layers: 1,
  outputSize: 16,
};

for (const { kind, shape, steps } of [
  // Plain TypeScript, slow, and held to the same count of tensors.
  { kind: 'tfjs-cpu', shape: NARROW, steps: 10_000 },
  { kind: 'tfjs-wasm', shape: NARROW, steps: 100_000 },
  { kind: 'tfjs-node', shape: WIDE, steps: 100_000 },
  { kind: 'tfjs-node-fused', shape: WIDE, steps: 100_000 },
] as const)
  test(`${kind} holds no tensor more and no memory more after ${steps} steps, and nothing after its end`, async () => {
    const random = randomOf(22);
    const model = modelOf(shape, random);
    // Once to load the library, whose own memory is not the engine's.
    (await createEngine(model, { kind, slotsMax: 1 })).engine.dispose();
    const before = held();
    const { engine } = await createEngine(model, { kind, slotsMax: 2 * WIDTH });
    const slots = allocate(engine, WIDTH);
    await advance(engine, { slots, steps: WARM_UP * steps, inputs: valuesOf(random, WIDTH * engine.inputSize) });
    const warm = held();
    const weight = process.memoryUsage.rss();
    await advance(engine, {
      slots,
      steps: (1 - WARM_UP) * steps,
      inputs: valuesOf(random, WIDTH * engine.inputSize),
    });
    assert.deepEqual(held(), warm);
    assert.ok(process.memoryUsage.rss() - weight < GROWTH_MAX_BYTES);
    engine.dispose();
    assert.deepEqual(held(), before);
  });

/** Batches, now and then with what a life has beside steps: a run, states read and written, slots given back and taken. */
async function advance(
  engine: Engine,
  { slots, steps, inputs }: { readonly slots: Uint32Array; readonly steps: number; readonly inputs: Float32Array },
): Promise<void> {
  const outputs = new Float32Array(WIDTH * engine.outputSize);
  const rows = rowsUpTo(WIDTH);
  for (let done = 0; done < steps; done += WIDTH) {
    await engine.step({ slots, rows, inputs, outputs });
    if (done % 1000 !== 0) continue;
    await engine.run({ slot: slots[0], rows: rows.subarray(0, 3), inputs, outputs });
    engine.writeStates(slots, await statesOf(engine, slots));
    engine.release(slots[1]);
    slots[1] = engine.allocate();
  }
}

/** Tensors that TensorFlow.js counts, and what the native library holds. */
function held() {
  const { numTensors, numBytes } = memory();
  const native = findBackend('tensorflow') as {
    readonly getNumOfTFTensors?: () => number;
    readonly getNumOfSavedModels?: () => number;
  } | null;
  return {
    ...{ numTensors, numBytes },
    nativeTensors: native?.getNumOfTFTensors?.() ?? 0,
    graphs: native?.getNumOfSavedModels?.() ?? 0,
  };
}
