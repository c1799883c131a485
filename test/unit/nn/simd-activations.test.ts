/** The kernel's tanh and sigmoid against double precision, through models that hand them out unchanged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, createSimdEngine, type Model, type ModelSpec } from '@tideline/nn';

const TANH_ERROR_MAX = 4e-7;
const SIGMOID_ERROR_MAX = 2.5e-7;
const POINTS = 400_000;

/** Evenly spaced in [-12, 12], and the smallest and largest numbers. */
const SWEEP = Float32Array.from({ length: POINTS }, (_, i) => -12 + (24 * i) / (POINTS - 1));
SWEEP.set([0, -0, 1e-45, -1e-45, 1e-30, 1e-8, -1e-8, 88, -88, 3.4e38, -3.4e38]);

test('tanh is within 4e-7 of the true value over all floats, odd, and never beyond 1', () => {
  const outputs = outputsOf(squash());
  let worst = 0;
  SWEEP.forEach((x, i) => {
    worst = Math.max(worst, Math.abs(outputs[i] - Math.tanh(x)));
    assert.ok(Math.abs(outputs[i]) <= 1, `tanh(${x}) is ${outputs[i]}`);
  });
  assert.ok(worst <= TANH_ERROR_MAX, `the largest error is ${worst}`);
  const mirrored = outputsOf(
    squash(),
    SWEEP.map((x) => -x),
  );
  assert.ok(mirrored.every((y, i) => -y === outputs[i]));
});

test('sigmoid is within 2.5e-7 of the true value over all floats, and stays in [0, 1]', () => {
  const outputs = outputsOf(gate());
  const open = outputsOf(gate(), Float32Array.of(100))[0];
  let worst = 0;
  SWEEP.forEach((x, i) => {
    const y = outputs[i] / open;
    worst = Math.max(worst, Math.abs(y - 1 / (1 + Math.exp(-x))));
    assert.ok(outputs[i] >= 0 && outputs[i] <= 1, `sigmoid(${x}) is ${outputs[i]}`);
  });
  assert.ok(worst <= SIGMOID_ERROR_MAX, `the largest error is ${worst}`);
});

test('a NaN or an infinity comes out of both as a NaN: no step goes on as if it were a number', () => {
  assert.ok(Number.isNaN(outputsOf(squash(), Float32Array.of(Infinity))[0]));
  assert.ok(Number.isNaN(outputsOf(squash(), Float32Array.of(NaN))[0]));
  assert.ok(Number.isNaN(outputsOf(gate(), Float32Array.of(NaN))[0]));
});

function outputsOf(model: Model, inputs: Float32Array = SWEEP): Float32Array {
  const engine = createSimdEngine(model, { slotsMax: 1 });
  const outputs = new Float32Array(inputs.length);
  const rows = Uint32Array.from(inputs, (_, i) => i);
  // One slot for each value: nothing is carried from one to the next.
  for (const row of rows) {
    const slot = engine.allocate();
    engine.run({ slot, rows: rows.subarray(row, row + 1), inputs, outputs });
    engine.release(slot);
  }
  engine.dispose();
  return outputs;
}

/** h = tanh(x), which the head hands out. */
function squash(): Model {
  const spec: ModelSpec = { name: 'squash', cell: 'rnn', inputSize: 1, hiddenSize: 1, layers: 1, outputSize: 1 };
  const [one, zero] = [Float32Array.of(1), Float32Array.of(0)];
  const layer = { wIh: one, wHh: zero, bIh: zero, bHh: zero };
  return createModel(spec, { layers: [layer], headW: one, headB: zero });
}

/** h = sigmoid(x) * tanh(1): the output gate sees x, the new c is 1 whatever it is. */
function gate(): Model {
  const spec: ModelSpec = { name: 'gate', cell: 'lstm', inputSize: 1, hiddenSize: 1, layers: 1, outputSize: 1 };
  const zeros = new Float32Array(4);
  // i and g are saturated at 1 by their biases, f does not count: c was 0.
  const layer = {
    wIh: Float32Array.of(0, 0, 0, 1),
    wHh: zeros,
    bIh: Float32Array.of(100, 0, 100, 0),
    bHh: zeros,
  };
  return createModel(spec, { layers: [layer], headW: Float32Array.of(1), headB: Float32Array.of(0) });
}
