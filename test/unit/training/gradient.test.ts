import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CellKind,
  createModel,
  createParameters,
  createReferenceEngine,
  initWeights,
  loadParameters,
  type ModelSpec,
  runWindow,
  zeroState,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';

const ROWS = 6;
const STEP = 1e-5;

function specOf(cell: CellKind): ModelSpec {
  return { name: 'toy', cell, inputSize: 3, hiddenSize: 5, layers: 2, outputSize: 2 };
}

function randomInputs(count: number, random: () => number): Float32Array {
  return Float32Array.from({ length: count }, () => 2 * random() - 1);
}

for (const cell of ['rnn', 'lstm', 'gru'] as const) {
  test(`every gradient of a two-layer ${cell} is the slope that finite differences measure`, () => {
    const random = mulberry32(7);
    const spec = specOf(cell);
    const inputs = randomInputs(ROWS * spec.inputSize, random);
    const targets = randomInputs(ROWS * spec.outputSize, random);
    const weights = loadParameters(spec, initWeights(spec, random));
    const gradients = createParameters(spec);
    const lossOf = (into: typeof gradients | null): number =>
      runWindow({
        ...{ spec, weights, inputs, from: 0, to: ROWS, state: zeroState(spec), gradients: into },
        loss(outputs, row, gradient) {
          // One row counts nothing: its gradient must not leak in.
          if (row === 2) return null;
          let sum = 0;
          for (let o = 0; o < spec.outputSize; o += 1) {
            const error = outputs[o] - targets[row * spec.outputSize + o];
            gradient[o] = error;
            sum += (error * error) / 2;
          }
          return sum;
        },
      }).loss;
    lossOf(gradients);
    for (let i = 0; i < weights.flat.length; i += 1) {
      const kept = weights.flat[i];
      weights.flat[i] = kept + STEP;
      const above = lossOf(null);
      weights.flat[i] = kept - STEP;
      const below = lossOf(null);
      weights.flat[i] = kept;
      const slope = (above - below) / (2 * STEP);
      assert.ok(
        Math.abs(slope - gradients.flat[i]) <= 1e-7 * Math.max(1, Math.abs(slope)),
        `parameter ${i}: ${gradients.flat[i]} against ${slope}`,
      );
    }
  });

  test(`the forward pass of training gives what the reference engine gives for a ${cell}, to 1e-6, over carried windows`, () => {
    const random = mulberry32(11);
    const spec = { ...specOf(cell), hiddenSize: 16 };
    const rows = 120;
    const inputs = randomInputs(rows * spec.inputSize, random);
    const model = createModel(spec, initWeights(spec, random));
    const expected = new Float32Array(rows * spec.outputSize);
    const engine = createReferenceEngine(model, { slotsMax: 1 });
    engine.run({
      slot: engine.allocate(),
      rows: Uint32Array.from({ length: rows }, (_, row) => row),
      inputs,
      outputs: expected,
    });
    const found = new Float64Array(expected.length);
    const state = zeroState(spec);
    const weights = loadParameters(spec, model.weights);
    const loss = (outputs: Float64Array, row: number): number => {
      found.set(outputs, row * spec.outputSize);
      return 0;
    };
    for (let from = 0; from < rows; from += 50)
      runWindow({ spec, weights, inputs, from, to: Math.min(rows, from + 50), state, loss, gradients: null });
    found.forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]) <= 1e-6, `output ${i}: ${value} against ${expected[i]}`);
    });
  });
}
