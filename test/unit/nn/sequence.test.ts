/** What holds for every model over complete sequences, whatever its cell, sizes and head. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createModel,
  createReferenceEngine,
  createSequenceModel,
  createSimdEngine,
  InputError,
  initWeights,
  type LayerWeights,
  type Model,
  type ModelSpec,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';
import fc from 'fast-check';
import { sequenceSpecs } from './family-specs.ts';

const CASES = { numRuns: 40 };
const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const steps = fc.integer({ min: 1, max: 9 });

function modelOf(spec: ModelSpec, seed: number): Model {
  return createModel(spec, initWeights(spec, mulberry32(seed)));
}

function inputsOf(spec: ModelSpec, count: number, seed: number): Float32Array {
  const random = mulberry32(seed + 1);
  return Float32Array.from({ length: count * spec.inputSize }, () => random() * 4 - 2);
}

function assertNear(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(actual[i] - value) <= tolerance, `${i}: ${actual[i]}, expected ${value}`);
}

const perStep = (spec: ModelSpec): ModelSpec => ({
  ...spec,
  head: { ...(spec.head ?? { kind: 'linear' }), scope: 'per-step' },
});
const forward = (spec: ModelSpec): ModelSpec => ({ ...spec, bidirectional: false });

test('a sequence that is cut in two and continued with its state equals the whole, to the bit', async () => {
  await fc.assert(
    fc.asyncProperty(
      sequenceSpecs,
      seeds,
      fc.integer({ min: 2, max: 9 }),
      fc.nat(),
      async (family, seed, count, cut) => {
        const spec = perStep(forward(family));
        const network = createSequenceModel(modelOf(spec, seed));
        const inputs = inputsOf(spec, count, seed);
        const at = (1 + (cut % (count - 1))) * spec.inputSize;
        const whole = await network.run(inputs);
        const first = await network.run(inputs.subarray(0, at));
        const second = await network.run(inputs.subarray(at), { state: first.state });
        assert.deepEqual(Float32Array.of(...first.outputs, ...second.outputs), whole.outputs);
        assert.deepEqual(second.state, whole.state);
      },
    ),
    CASES,
  );
});

test('the steps of an engine are the sequence, to the bit', async () => {
  await fc.assert(
    fc.asyncProperty(sequenceSpecs, seeds, steps, async (family, seed, count) => {
      const { head: _, ...linear } = forward(family);
      const model = modelOf(linear, seed);
      const inputs = inputsOf(linear, count, seed);
      const whole = await createSequenceModel(model).run(inputs);
      const engine = createReferenceEngine(model, { slotsMax: 1 });
      const slots = Uint32Array.of(engine.allocate());
      const outputs = new Float32Array(whole.outputs.length);
      for (let t = 0; t < count; t += 1) await engine.step({ slots, rows: Uint32Array.of(t), inputs, outputs });
      assert.deepEqual(outputs, whole.outputs);
    }),
    CASES,
  );
});

test('a head of the last step says what the head of each step says last', async () => {
  await fc.assert(
    fc.asyncProperty(sequenceSpecs, seeds, steps, async (family, seed, count) => {
      const spec = perStep(forward(family));
      const model = modelOf(spec, seed);
      const inputs = inputsOf(spec, count, seed);
      const each = await createSequenceModel(model).run(inputs);
      const last: ModelSpec = { ...spec, head: { ...(spec.head ?? { kind: 'linear' }), scope: 'last-step' } };
      const one = await createSequenceModel(createModel(last, model.weights)).run(inputs);
      assert.equal(one.steps, 1);
      assert.deepEqual(one.outputs, each.outputs.slice(-spec.outputSize));
      assert.deepEqual(one.state, each.state);
    }),
    CASES,
  );
});

test('a linear head of the sequence gives the mean of the steps', async () => {
  await fc.assert(
    fc.asyncProperty(sequenceSpecs, seeds, steps, async (family, seed, count) => {
      const each: ModelSpec = { ...family, head: { kind: 'linear' } };
      const model = modelOf(each, seed);
      const inputs = inputsOf(each, count, seed);
      const { outputs } = await createSequenceModel(model).run(inputs);
      const mean = new Float32Array(each.outputSize);
      for (let o = 0; o < mean.length; o += 1)
        mean[o] = outputs.reduce((sum, value, i) => (i % mean.length === o ? sum + value : sum), 0) / count;
      const whole = createModel({ ...each, head: { kind: 'linear', scope: 'sequence' } }, model.weights);
      assertNear((await createSequenceModel(whole).run(inputs)).outputs, mean, 1e-6);
    }),
    CASES,
  );
});

/** [R][2n] with the halves of every row exchanged. */
function halvesExchanged(matrix: Float32Array, n: number): Float32Array {
  return matrix.map((_, i) => matrix[i % (2 * n) < n ? i + n : i - n]);
}

/** The model that reads the other way round: the directions change places, and so do the halves that upper layers and head read. */
function mirrored({ spec, weights }: Model): Model {
  const { hiddenSize } = spec;
  const exchanged = (layer: LayerWeights, place: number): LayerWeights =>
    place < 2 ? layer : { ...layer, wIh: halvesExchanged(layer.wIh, hiddenSize) };
  const layers = weights.layers.map((_, place) => exchanged(weights.layers[place ^ 1], place));
  return createModel(spec, { ...weights, layers, headW: halvesExchanged(weights.headW, hiddenSize) });
}

test('in both directions: the sequence backwards through the mirrored model is the output backwards', async () => {
  await fc.assert(
    fc.asyncProperty(sequenceSpecs, seeds, steps, async (family, seed, count) => {
      const { inputLayer: _, inputActivation: __, skipConnection: ___, ...stack } = family;
      const spec: ModelSpec = { ...stack, bidirectional: true };
      const model = modelOf(spec, seed);
      const inputs = inputsOf(spec, count, seed);
      const reverse = (rows: Float32Array, size: number): Float32Array =>
        rows.map((_, i) => rows[rows.length - size * (1 + Math.floor(i / size)) + (i % size)]);
      const found = await createSequenceModel(model).run(inputs);
      const mirror = await createSequenceModel(mirrored(model)).run(reverse(inputs, spec.inputSize));
      // Sums of exchanged halves are added in another order.
      assertNear(reverse(mirror.outputs, spec.outputSize), found.outputs, 1e-4);
    }),
    CASES,
  );
});

test('in both directions: every output depends on the first and on the last step', async () => {
  for (const layers of [1, 2]) {
    const spec: ModelSpec = {
      name: 'both',
      cell: 'gru',
      inputSize: 1,
      hiddenSize: 5,
      layers,
      outputSize: 1,
      bidirectional: true,
    };
    const network = createSequenceModel(modelOf(spec, 3));
    const inputs = inputsOf(spec, 5, 3);
    const { outputs } = await network.run(inputs);
    for (const step of [0, 4]) {
      const other = await network.run(inputs.map((value, t) => (t === step ? value + 1 : value)));
      assert.ok(
        other.outputs.every((value, t) => value !== outputs[t]),
        `${layers} layers, step ${step}`,
      );
    }
  }
});

test('the SIMD engine runs sequences, with peepholes too, within 1e-5 of the reference', async () => {
  await fc.assert(
    fc.asyncProperty(sequenceSpecs, seeds, steps, async ({ layerNorm: _, ...spec }, seed, count) => {
      const model = modelOf(spec, seed);
      const inputs = inputsOf(spec, count, seed);
      const fast = createSequenceModel(model, { engine: createSimdEngine });
      const found = await fast.run(inputs);
      const expected = await createSequenceModel(model).run(inputs);
      assertNear(found.outputs, expected.outputs, 1e-5);
      assertNear(found.state, expected.state, 1e-5);
      fast.dispose();
    }),
    CASES,
  );
});

test('runs that overlap do not see each other, and beyond their bound is a RangeError', async () => {
  const spec: ModelSpec = {
    name: 'both',
    cell: 'lstm',
    inputSize: 2,
    hiddenSize: 4,
    layers: 2,
    outputSize: 2,
    bidirectional: true,
  };
  const network = createSequenceModel(modelOf(spec, 4), { runsMax: 8 });
  const all = Array.from({ length: 8 }, (_, i) => inputsOf(spec, 1 + i, i));
  const alone = [];
  for (const inputs of all) alone.push(await network.run(inputs));
  assert.deepEqual(await Promise.all(all.map((inputs) => network.run(inputs))), alone);
  await assert.rejects(Promise.all([...all, all[0]].map((inputs) => network.run(inputs))), RangeError);
  assert.deepEqual(await network.run(all[3]), alone[3]);
});

test('inputs and states that are no sequence are refused by step and value; nothing was computed', async () => {
  const spec: ModelSpec = { name: 'toy', cell: 'lstm', inputSize: 2, hiddenSize: 4, layers: 1, outputSize: 2 };
  const network = createSequenceModel(modelOf(spec, 5));
  const good = inputsOf(spec, 3, 5);
  const refusals: readonly [Float32Array, Float32Array | null, RegExp][] = [
    [new Float32Array(0), null, /Inputs of 'toy': 0 values are no whole steps of 2/],
    [good.subarray(1), null, /5 values are no whole steps of 2/],
    [Float32Array.of(1, 2, 3, Number.NaN), null, /value 1 of step 1 is NaN/],
    [Float32Array.of(Number.NEGATIVE_INFINITY, 2), null, /value 0 of step 0 is -Infinity/],
    [good, new Float32Array(7), /State of 'toy': 7 values, its shape needs 8/],
    [good, new Float32Array(8).fill(Number.NaN), /State of 'toy': value 0 of step 0 is NaN/],
  ];
  for (const [inputs, state, message] of refusals)
    await assert.rejects(
      network.run(inputs, state === null ? {} : { state }),
      (error) => error instanceof InputError && error.code === 'INPUT_INVALID' && message.test(error.message),
      String(message),
    );
});
