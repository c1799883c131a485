/** The family's forms: what a spec may say, what its digest speaks of, and what each form comes down to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createEncoderDecoder,
  createModel,
  createReferenceEngine,
  createSequenceModel,
  initWeights,
  type LayerWeights,
  type Model,
  ModelError,
  type ModelSpec,
  tensorShapes,
  tensorsOf,
  weightsOf,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';
import fc from 'fast-check';
import { familySpecs } from './family-specs.ts';

const PLAIN: ModelSpec = { name: 'toy', cell: 'lstm', inputSize: 3, hiddenSize: 4, layers: 2, outputSize: 2 };

function modelOf(spec: ModelSpec, seed = 1): Model {
  return createModel(spec, initWeights(spec, mulberry32(seed)));
}

test('the digests of plain models are those of the first release: their states stay theirs', () => {
  const digests: readonly [Partial<ModelSpec>, string][] = [
    [{}, '97cea85f5b3cec2afe792aa3b52e403e28c0889c0018a5a847616b9ca84b2bb7'],
    [{ cell: 'gru', layers: 1 }, '29de33f04705be865c121681ced7fe2fb8c92762eb45a79a1515a33738e7d9b2'],
    [{ cell: 'gru', gruReset: 'before' }, '932da29a7e07991a78532bdd566041d44ee52a67e487ffc76b3a0caeea22814e'],
    [{ cell: 'rnn', layers: 1 }, 'd0a6e00e76a8777244d24741e7a0b0e3566b9cd38b7dd7b6500f7069c7c39db2'],
  ];
  for (const [part, digest] of digests) assert.equal(modelOf({ ...PLAIN, ...part }).digest, digest);
});

test('naming a default is no change of the digest', () => {
  const { weights, digest } = modelOf(PLAIN);
  const defaults: readonly Partial<ModelSpec>[] = [
    { peephole: false, layerNorm: false, bidirectional: false },
    { head: { kind: 'linear' } },
    { head: { kind: 'linear', scope: 'per-step' } },
  ];
  for (const part of defaults) assert.equal(createModel({ ...PLAIN, ...part }, weights).digest, digest);
});

test('every head is in the digest', () => {
  const spec = { ...PLAIN, outputSize: 4 };
  const { weights } = modelOf(spec);
  const heads: readonly ModelSpec['head'][] = [
    { kind: 'linear' },
    { kind: 'linear', scope: 'last-step' },
    { kind: 'linear', scope: 'sequence' },
    { kind: 'classes' },
    { kind: 'classes', groups: [{ name: 'mood', classes: ['good', 'bad', 'mixed', 'none'] }] },
    { kind: 'classes', groups: [{ name: 'mood', classes: ['bad', 'good', 'mixed', 'none'] }] },
    { kind: 'multi-quantile', levels: [0.1, 0.9] },
    { kind: 'multi-quantile', levels: [0.2, 0.9] },
    { kind: 'multi-quantile', levels: [0.2, 0.9], scope: 'last-step' },
  ];
  const digests = heads.map((head) => createModel({ ...spec, ...(head ? { head } : {}) }, weights).digest);
  assert.equal(new Set(digests).size, heads.length);
});

test('weights of any form go to tensors and back, each of the shape and name that it is said to have', () => {
  fc.assert(
    fc.property(familySpecs, (spec) => {
      const { weights } = modelOf(spec);
      const shapes = tensorShapes(spec);
      assert.equal(new Set(shapes.map(({ name }) => name)).size, shapes.length);
      assert.deepEqual(weightsOf(spec, tensorsOf(weights)), weights);
      assert.equal(createModel(spec, weightsOf(spec, tensorsOf(weights))).digest, modelOf(spec).digest);
    }),
  );
});

test('a spec that no model can have is refused by its field', () => {
  const cases: readonly [object, RegExp][] = [
    [{ peephole: 1 }, /peephole is 1, must be true or false/],
    [{ cell: 'gru', peephole: true }, /peephole is for the lstm, its cell is 'gru'/],
    [{ peephole: true, layerNorm: true }, /peephole and layerNorm do not go together/],
    [{ embedding: 4 }, /embedding is 4, must be an object/],
    [{ embedding: { buckets: 0, size: 1 } }, /embedding\.buckets is 0, must be a whole number from 1/],
    [{ embedding: { buckets: 8, size: 9 } }, /embedding\.size is 9, but there are only \d inputs/],
    [{ inputLayer: 0 }, /inputLayer is 0, must be a whole number from 1/],
    [{ inputLayer: 2, inputActivation: 'gelu' as 'relu' }, /inputActivation is 'gelu', must be one of tanh, relu/],
    [{ inputActivation: 'relu' }, /inputActivation is that of an inputLayer/],
    [{ skipConnection: 1 }, /skipConnection is 1, must be true or false/],
    [{ skipConnection: true, bidirectional: true }, /skipConnection goes with plain stacks only/],
    [{ inputLayer: 4, decoder: {} }, /inputLayer goes with plain stacks only/],
    [{ bidirectional: 'yes' }, /bidirectional is "yes"/],
    [{ bidirectional: true, decoder: {} }, /Leave bidirectional or decoder out/],
    [{ decoder: null }, /decoder is null/],
    [{ decoder: { knownSize: -1 } }, /decoder\.knownSize is -1, must be a whole number from 0/],
    [{ decoder: { summaryEachStep: 0 } }, /decoder\.summaryEachStep is 0/],
    [{ decoder: {}, head: { kind: 'linear', scope: 'last-step' } }, /a decoder has an output at every step/],
    [{ head: null }, /head is null/],
    [{ head: { kind: 'dense' } }, /head\.kind is 'dense', must be one of linear, multi-quantile, classes/],
    [
      { head: { kind: 'linear', scope: 'first' } },
      /head\.scope is 'first', must be one of per-step, last-step, sequence/,
    ],
    [{ outputSize: 1, head: { kind: 'classes' } }, /outputSize is 1, a head of classes/],
    [{ head: { kind: 'linear', groups: [] } }, /head\.groups is for classes, head\.kind is 'linear'/],
    [{ head: { kind: 'classes', groups: [] } }, /head\.groups must be a list of groups/],
    [{ head: { kind: 'classes', groups: [{ name: 'a', classes: ['x', 'x'] }] } }, /two classes or more of different/],
    [{ head: { kind: 'classes', groups: [{ name: 'a', classes: ['x', 'y', 'z'] }] } }, /outputSize is 2, .* are 3/],
    [{ head: { kind: 'linear', levels: [0.5] } }, /head\.levels is for multi-quantile, head\.kind is 'linear'/],
    [{ head: { kind: 'multi-quantile' } }, /head\.levels is undefined/],
    [{ head: { kind: 'multi-quantile', levels: [] } }, /head\.levels is \[\]/],
    [
      { head: { kind: 'multi-quantile', levels: [0.9, 0.1] } },
      /head\.levels is \[0\.9,0\.1\], must be 1 to 1024 rising/,
    ],
    [{ head: { kind: 'multi-quantile', levels: [0, 0.5] } }, /head\.levels is \[0,0\.5\]/],
    [{ head: { kind: 'multi-quantile', levels: [0.1, Number.NaN] } }, /head\.levels/],
    [{ head: { kind: 'multi-quantile', levels: [0.1, 0.5, 0.9] } }, /outputSize is 2, must be a multiple of the 3/],
  ];
  for (const [part, message] of cases)
    assert.throws(
      () => initWeights({ ...PLAIN, ...part } as ModelSpec, mulberry32(1)),
      (error) => error instanceof ModelError && message.test(error.message),
      String(message),
    );
});

test('weights that lack what the spec says, or have what it does not say, are refused by name', () => {
  const peephole: ModelSpec = { ...PLAIN, peephole: true };
  assert.throws(() => createModel(peephole, modelOf(PLAIN).weights), /layers 0 lack 'peephole'/);
  assert.throws(() => createModel(PLAIN, modelOf(peephole).weights), /layers 0 have 'peephole'/);
  const both: ModelSpec = { ...PLAIN, bidirectional: true };
  assert.throws(() => createModel(both, modelOf(PLAIN).weights), /have 2 layers, its spec needs 4/);
  assert.throws(
    () => createModel({ ...PLAIN, decoder: {} }, modelOf(PLAIN).weights),
    /have 0 decoder, its spec needs 2/,
  );
});

test('an engine that steps refuses a model that only complete sequences have, and names what runs it', () => {
  const refusal = (spec: ModelSpec, message: RegExp): void => {
    assert.throws(
      () => createReferenceEngine(modelOf(spec), { slotsMax: 1 }),
      (error) => error instanceof ModelError && message.test(error.message),
    );
  };
  refusal(
    { ...PLAIN, bidirectional: true },
    /is bidirectional, which engine 'reference' cannot step: .*createSequenceModel/,
  );
  refusal({ ...PLAIN, decoder: {} }, /has a decoder, .*createEncoderDecoder/);
  refusal({ ...PLAIN, head: { kind: 'linear', scope: 'sequence' } }, /head\.scope 'sequence'.*createSequenceModel/);
  assert.throws(() => createSequenceModel(modelOf({ ...PLAIN, decoder: {} })), /createEncoderDecoder/);
  assert.throws(() => createEncoderDecoder(modelOf(PLAIN)), /has no decoder: run it with createSequenceModel/);
});

/** Outputs of the reference for one random sequence of 6 steps. */
async function outputsOf({ spec, weights }: Pick<Model, 'spec' | 'weights'>): Promise<Float32Array> {
  const random = mulberry32(9);
  const inputs = Float32Array.from({ length: 6 * spec.inputSize }, () => random() * 4 - 2);
  return (await createSequenceModel(createModel(spec, weights)).run(inputs)).outputs;
}

function withLayers(model: Model, change: (layer: LayerWeights) => LayerWeights): Pick<Model, 'spec' | 'weights'> {
  return { spec: model.spec, weights: { ...model.weights, layers: model.weights.layers.map(change) } };
}

test('peepholes of zero are no peepholes, to the bit', async () => {
  const plain = modelOf(PLAIN);
  const closed = withLayers({ ...plain, spec: { ...PLAIN, peephole: true } }, (layer) => ({
    ...layer,
    peephole: new Float32Array(3 * PLAIN.hiddenSize),
  }));
  assert.deepEqual(await outputsOf(closed), await outputsOf(plain));
  assert.notDeepEqual(await outputsOf(modelOf({ ...PLAIN, peephole: true })), await outputsOf(plain));
});

test('a layer norm does not see the scale of its input weights', async () => {
  for (const cell of ['lstm', 'gru'] as const) {
    const model = modelOf({ ...PLAIN, cell, layerNorm: true });
    const found = await outputsOf(model);
    const scaled = await outputsOf(
      withLayers(model, (layer) => ({
        ...layer,
        wIh: layer.wIh.map((w) => 64 * w),
        wHh: layer.wHh.map((w) => 64 * w),
      })),
    );
    // Not to the bit: epsilon is there so that a variance of zero divides nothing, and weighs less on larger sums.
    for (const [i, value] of found.entries())
      assert.ok(Math.abs(value - scaled[i]) < 2e-2, `${cell} ${i}: ${value}, ${scaled[i]}`);
  }
});

test('a layer norm of equal sums is its shift: nothing is divided by zero', async () => {
  const model = modelOf({ ...PLAIN, cell: 'rnn', layerNorm: true });
  const flat = withLayers(model, (layer) => ({ ...layer, wIh: layer.wIh.map(() => 0), wHh: layer.wHh.map(() => 0) }));
  assert.ok((await outputsOf(flat)).every(Number.isFinite));
});
