/** What holds for every encoder-decoder. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createEncoderDecoder,
  createModel,
  type DecodeOptions,
  type EncoderDecoder,
  InputError,
  initWeights,
  type ModelSpec,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';
import fc from 'fast-check';
import { encoderDecoderSpecs } from './family-specs.ts';

const CASES = { numRuns: 40 };
const DECODED = 5;
const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const sourceSteps = fc.integer({ min: 1, max: 7 });

interface Case {
  readonly network: EncoderDecoder;
  readonly inputs: Float32Array;
  readonly options: DecodeOptions;
}

function caseOf(spec: ModelSpec, seed: number, count: number): Case {
  const random = mulberry32(seed);
  const network = createEncoderDecoder(createModel(spec, initWeights(spec, random)));
  const valuesOf = (size: number): Float32Array => Float32Array.from({ length: size }, () => random() * 2 - 1);
  const knownSize = spec.decoder?.knownSize ?? 0;
  return {
    network,
    inputs: valuesOf(count * spec.inputSize),
    options: {
      ...{ steps: DECODED, first: valuesOf(network.feedbackSize) },
      ...(knownSize > 0 ? { known: valuesOf(DECODED * knownSize) } : {}),
    },
  };
}

test('a decoder that is taught its own outputs writes them again, to the bit', async () => {
  await fc.assert(
    fc.asyncProperty(encoderDecoderSpecs, seeds, sourceSteps, async (family, seed, count) => {
      const spec: ModelSpec = { ...family, head: { kind: 'linear' } };
      const { network, inputs, options } = caseOf(spec, seed, count);
      const free = await network.run(inputs, options);
      assert.equal(free.steps, DECODED);
      assert.deepEqual(await network.run(inputs, { ...options, targets: free.outputs }), free);
    }),
    CASES,
  );
});

test('fewer outputs are the first of more, however they end', async () => {
  await fc.assert(
    fc.asyncProperty(encoderDecoderSpecs, seeds, sourceSteps, async (spec, seed, count) => {
      const { network, inputs, options } = caseOf(spec, seed, count);
      const all = await network.run(inputs, options);
      const first = all.outputs.slice(0, 3 * spec.outputSize);
      const stopped = await network.run(inputs, { ...options, stop: (_, step) => step === 2 });
      assert.equal(stopped.steps, 3);
      assert.deepEqual(stopped.outputs, first);
      const knownSize = spec.decoder?.knownSize ?? 0;
      const known = options.known ? { known: options.known.subarray(0, 3 * knownSize) } : {};
      assert.deepEqual((await network.run(inputs, { ...options, ...known, steps: 3 })).outputs, first);
    }),
    CASES,
  );
});

test('the outputs depend on every step that was read and on what was known ahead', async () => {
  for (const summaryEachStep of [false, true]) {
    const spec: ModelSpec = {
      ...{ name: 'ahead', cell: 'lstm', inputSize: 1, hiddenSize: 6, layers: 2, outputSize: 1 },
      decoder: { knownSize: 1, summaryEachStep },
    };
    const { network, inputs, options } = caseOf(spec, 7, 4);
    const { outputs } = await network.run(inputs, options);
    for (const step of [0, 1, 2, 3]) {
      const other = await network.run(
        inputs.map((value, t) => (t === step ? value + 1 : value)),
        options,
      );
      assert.ok(other.outputs.every((value, t) => value !== outputs[t]));
    }
    const known = options.known?.map((value, t) => (t === 2 ? value + 1 : value)) ?? new Float32Array(0);
    const other = await network.run(inputs, { ...options, known });
    assert.deepEqual(
      Array.from(other.outputs, (value, t) => value === outputs[t]),
      [true, true, false, false, false],
    );
  }
});

test('without a first value the decoder begins with zeros', async () => {
  const spec: ModelSpec = {
    name: 'zeros',
    cell: 'gru',
    inputSize: 2,
    hiddenSize: 4,
    layers: 1,
    outputSize: 2,
    decoder: {},
  };
  const { network, inputs } = caseOf(spec, 8, 3);
  const zeros = await network.run(inputs, { steps: 4, first: new Float32Array(2) });
  assert.deepEqual(await network.run(inputs, { steps: 4 }), zeros);
});

test('what cannot be decoded is refused by name', async () => {
  const spec: ModelSpec = {
    ...{ name: 'toy', cell: 'gru', inputSize: 2, hiddenSize: 4, layers: 1, outputSize: 2 },
    decoder: { knownSize: 3 },
  };
  const { network, inputs, options } = caseOf(spec, 9, 3);
  const { known: _, ...unknown } = options;
  const refusals: readonly [Float32Array, DecodeOptions, RegExp][] = [
    [inputs.subarray(1), options, /Inputs of 'toy': 5 values are no whole steps of 2/],
    [inputs, { ...options, steps: 0 }, /steps is 0, must be a whole number from 1 to 1000000/],
    [inputs, { ...options, steps: 2.5 }, /steps is 2\.5/],
    [inputs, { ...options, first: new Float32Array(3) }, /'first' of 'toy', \[1\]\[2\]: 3 values, its shape needs 2/],
    [inputs, unknown, /'known' of 'toy', \[5\]\[3\]: 0 values, its shape needs 15/],
    [
      inputs,
      { ...options, known: new Float32Array(15).fill(Number.NaN) },
      /'known' of 'toy': value 0 of step 0 is NaN/,
    ],
    [inputs, { ...options, targets: new Float32Array(4) }, /'targets' of 'toy', \[5\]\[2\]: 4 values/],
  ];
  for (const [source, decode, message] of refusals)
    await assert.rejects(
      network.run(source, decode),
      (error) => error instanceof InputError && message.test(error.message),
      String(message),
    );
});
