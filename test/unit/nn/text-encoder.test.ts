import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createModel,
  createSequenceModel,
  decodeModel,
  encodeModel,
  initWeights,
  type Model,
  ModelError,
  type ModelSpec,
  mergeMembers,
  SeededRandom,
  type TextEncoderSpec,
  textEncoderOf,
  trainRecurrent,
} from '@tideline/nn';

const ENCODER: TextEncoderSpec = {
  ...{ cell: 'lstm', inputSize: 4, hiddenSize: 3, layers: 1, outputSize: 2, bidirectional: true },
  ...{ embedding: { buckets: 5, size: 2 }, head: { kind: 'linear', scope: 'sequence' } },
};
const SPEC: ModelSpec = {
  ...{ name: 'toy', cell: 'gru', inputSize: 6, hiddenSize: 3, layers: 1, outputSize: 1, skipConnection: true },
  ...{ embedding: { buckets: 7, size: 3 }, textEncoder: ENCODER },
};
const { textEncoder: _, ...PLAIN } = SPEC;
const WORDS = Float32Array.from({ length: 5 * 4 }, (_, i) => Math.sin(i));

function modelOf(seed: number, spec = SPEC): Model {
  const random = new SeededRandom(seed);
  return createModel(
    spec,
    initWeights(spec, () => random.next()),
  );
}

function valuesOf(model: Model, words = WORDS): Float32Array {
  const inputs = new Float32Array(4).fill(7);
  textEncoderOf(model)?.write(words, inputs, 1);
  assert.deepEqual([inputs[0], inputs[3]], [7, 7]);
  return inputs.slice(1, 3);
}

test('a text encoder says what its network says of the words, in their order, and lies in the file of its model', () => {
  const model = modelOf(1);
  const values = valuesOf(model);
  const own = textEncoderOf(model)?.model as Model;
  const { outputs } = createSequenceModel(own).runNow(WORDS);
  values.forEach((value, i) => {
    assert.ok(Math.abs(value - outputs[i]) < 1e-6, `${value}, the reference says ${outputs[i]}`);
  });
  const backwards = Float32Array.from({ length: 20 }, (_, i) => WORDS[(4 - Math.floor(i / 4)) * 4 + (i % 4)]);
  assert.notDeepEqual(valuesOf(model, backwards), values);
  const read = decodeModel(encodeModel(model.spec, model.weights), 'model.tdl').model;
  assert.equal(read.digest, model.digest);
  assert.deepEqual(valuesOf(read), values);
  assert.equal(textEncoderOf(modelOf(1, { ...SPEC, textEncoder: undefined } as unknown as ModelSpec)), null);
});

test('a model with another text encoder is another model', () => {
  const [one, other] = [modelOf(1), modelOf(2)];
  const { textEncoder } = other.weights;
  const mixed = createModel(SPEC, { ...one.weights, ...(textEncoder ? { textEncoder } : {}) });
  assert.notEqual(mixed.digest, one.digest);
  assert.deepEqual(valuesOf(mixed), valuesOf(other));
});

test('members of an ensemble share one text encoder', () => {
  const [one, other] = [modelOf(1), modelOf(2)];
  const { textEncoder } = one.weights;
  const alike = createModel(SPEC, { ...other.weights, ...(textEncoder ? { textEncoder } : {}) });
  const merged = mergeMembers('two', [one, alike]);
  assert.deepEqual(valuesOf(merged), valuesOf(one));
  assert.equal(merged.spec.inputSize, 6 + 3, "the table's values of both, the text encoder's once");
  assert.throws(() => mergeMembers('two', [one, other]), /different text encoders/);
});

test('what cannot be a text encoder is refused by its field', async () => {
  const cases: readonly [Partial<TextEncoderSpec> | null, RegExp][] = [
    [{ hiddenSize: 0 }, /textEncoder': hiddenSize is 0/],
    [{ head: { kind: 'linear' } }, /head.scope must be 'sequence'/],
    [{ outputSize: 4 }, /textEncoder.outputSize is 4, but there are only 6 inputs/],
    [{ textEncoder: ENCODER } as Partial<TextEncoderSpec>, /has a textEncoder/],
    [null, /textEncoder is null, must be an object/],
  ];
  for (const [part, message] of cases) {
    const textEncoder = (part === null ? null : { ...ENCODER, ...part }) as TextEncoderSpec;
    assert.throws(
      () => initWeights({ ...SPEC, textEncoder }, () => 0.5),
      (error) => error instanceof ModelError && message.test(error.message),
      String(message),
    );
  }
  const { textEncoder: _, ...weights } = modelOf(1).weights;
  assert.throws(() => createModel(SPEC, weights), /its weights lack 'textEncoder'/);
  const sequence = { inputs: new Float32Array(6), rows: 1, loss: () => 0 };
  const options = {
    windowRows: 1,
    batchSequences: 1,
    learningRate: 1e-3,
    clipNorm: 1,
    patience: 1,
    seed: 1,
    epochs: 1,
  };
  await assert.rejects(
    async () => trainRecurrent({ ...options, spec: SPEC, train: [sequence], validation: [sequence] }),
    /gradient of textEncoder is not here/,
  );
});

test('a model with another sentence encoder is another model, and what cannot be one is refused by its field', () => {
  const digest = '0f'.repeat(32);
  const digestOf = (sentenceEncoder: unknown): string =>
    modelOf(1, { ...SPEC, sentenceEncoder } as unknown as ModelSpec).digest;
  assert.notEqual(digestOf({ size: 1, digest }), modelOf(1).digest);
  assert.notEqual(digestOf({ size: 1, digest }), digestOf({ size: 1, digest: '1f'.repeat(32) }));
  const merged = mergeMembers(
    'two',
    [1, 2].map((seed) => modelOf(seed, { ...PLAIN, sentenceEncoder: { size: 2, digest } })),
  );
  assert.deepEqual(merged.spec.sentenceEncoder, { size: 2, digest });
  const cases: readonly [unknown, RegExp][] = [
    [null, /sentenceEncoder is null, must be an object/],
    [{ size: 0, digest }, /sentenceEncoder.size is 0/],
    [{ size: 1, digest: 'abc' }, /sentenceEncoder.digest is "abc", must be a SHA-256/],
    [
      { size: 2, digest },
      /sentenceEncoder.size is 2, but there are only 6 inputs for it, the textEncoder and the embedding/,
    ],
  ];
  for (const [part, message] of cases)
    assert.throws(
      () => digestOf(part),
      (error) => error instanceof ModelError && message.test(error.message),
      String(message),
    );
});
