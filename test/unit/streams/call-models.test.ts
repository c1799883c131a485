/** Call models with a table of n-grams and several answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ClassGroup,
  createModel,
  initWeights,
  type Model,
  type ModelSpec,
  SeededRandom,
  type TextEncoderSpec,
} from '@tideline/nn';
import { ChunkBuilder, ConfigError, splitLine } from '@tideline/pipeline';
import {
  assertModelFits,
  callInputSize,
  createCallStream,
  englishWordVectors,
  generatedCalls,
  type SourceRecord,
  wordEncoderSpec,
} from '@tideline/streams';
import { pipelinePass, readRows } from '@tideline/trainer';

const EMBEDDING = { buckets: 256, size: 4 };
const GROUPS: readonly ClassGroup[] = [
  { name: 'sentiment', classes: ['negative', 'neutral', 'positive'] },
  { name: 'emotion', classes: ['joy', 'anger'] },
  { name: 'escalation', classes: ['no', 'yes'] },
  { name: 'satisfaction', classes: ['1', '2', '3', '4', '5'] },
  { name: 'call_satisfaction', classes: ['1', '2', '3', '4', '5'] },
];
const RECORDS = [...generatedCalls({ seed: 5, calls: 6 })];

function modelOf(
  groups: readonly ClassGroup[],
  inputSize = callInputSize({ embedding: 4, words: true }),
  textEncoder?: TextEncoderSpec,
): Model {
  const outputSize = groups.reduce((sum, { classes }) => sum + classes.length, 0);
  const spec: ModelSpec = {
    ...{ name: 'toy', cell: 'gru', inputSize, hiddenSize: 3, layers: 1, outputSize, inputLayer: 5 },
    ...{ embedding: EMBEDDING, head: { kind: 'classes', groups }, ...(textEncoder ? { textEncoder } : {}) },
  };
  const random = new SeededRandom(2);
  return createModel(
    spec,
    initWeights(spec, () => random.next()),
  );
}

/** Inputs of a call's rows when each record comes in a chunk of its own, as live. */
function liveInputs(model: Model, records: readonly SourceRecord[]): Float32Array {
  const stream = createCallStream({ modelName: 'm', model });
  const state = new Float64Array(stream.stateSize);
  const rows = records.flatMap(({ key, value, timestampMs }, offset) => {
    const builder = new ChunkBuilder(stream.schema, 1);
    const bytes = { key: Buffer.from(key), value: Buffer.from(value) };
    stream.decode({ offset, ...bytes, timestampMs, headers: {} }, builder);
    const inputs = new Float32Array(stream.inputSize);
    const context = new Float64Array(stream.contextSize);
    const buffers = { state, stateAt: 0, inputs, inputAt: 0, context, contextAt: 0 };
    return stream.advance(builder.finish(1), 0, buffers) === 'step' ? [...inputs] : [];
  });
  return Float32Array.from(rows);
}

const ENCODER = wordEncoderSpec(englishWordVectors(), { buckets: 32, embedding: 2, hiddenSize: 4, outputSize: 3 });
const FORMS = [
  { name: 'with word vectors', words: true },
  { name: 'without word vectors', words: false },
  { name: 'with a text encoder', words: true, encoder: ENCODER },
] as const;
for (const { name, words, ...rest } of FORMS)
  test(`what a network sees is the same to the bit offline and live, ${name}`, () => {
    const encoder = 'encoder' in rest ? rest.encoder : undefined;
    const sizes = { embedding: 4, encoder: encoder?.outputSize ?? 0, words };
    const model = modelOf(GROUPS, callInputSize(sizes), encoder);
    const { series } = readRows(createCallStream({ modelName: 'm', model }), RECORDS);
    assert(series.length >= 6);
    for (const call of series) {
      const live = liveInputs(
        model,
        RECORDS.filter(({ key }) => key === call.key),
      );
      assert.deepEqual(live, call.inputs.slice());
      assert(new Set(live).size > 10);
    }
  });

test('a point has every answer that the model was trained for, and no other', async () => {
  const pass = async (groups: readonly ClassGroup[]): Promise<Record<string, string>[]> => {
    const model = modelOf(groups);
    const stream = createCallStream({ modelName: 'm', model });
    const { lines } = await pipelinePass({ stream, model, records: RECORDS, keepLines: true });
    const points = lines.filter((line) => line.startsWith('sentiment,'));
    return points.map((line) =>
      Object.fromEntries(
        splitLine(line)
          .fields.split(',')
          .map((field) => field.split('=')),
      ),
    );
  };
  const all = await pass(GROUPS);
  assert(all.length > 20);
  for (const { negative, neutral, positive, score, emotion, escalation, dissatisfied, ...rest } of all) {
    assert(Math.abs(Number(negative) + Number(neutral) + Number(positive) - 1) < 1e-6);
    assert(Math.abs(Number(positive) - Number(negative) - Number(score)) < 1e-12);
    assert.match(emotion, /^"(joy|anger)"$/);
    for (const share of [escalation, dissatisfied]) assert(Number(share) > 0 && Number(share) < 1);
    for (const rating of [rest.satisfaction, rest.call_satisfaction]) assert(Number(rating) > 1 && Number(rating) < 5);
  }
  const few = await pass(GROUPS.slice(3, 4));
  assert.deepEqual(
    Object.keys(few[0]),
    ['call_score', 'dissatisfied', 'offset', 'partition', 'satisfaction', 'score'],
    "the score is the lexicon's",
  );
});

test('a model of other features, or trained with other word vectors, is refused', () => {
  assert.throws(
    () => createCallStream({ modelName: 'm', model: modelOf(GROUPS, 40) }),
    (error: unknown) =>
      error instanceof ConfigError && /has 40 inputs, a model of calls .* needs \d+/.test(error.message),
  );
  const model = modelOf(GROUPS);
  const stream = createCallStream({ modelName: 'm', model });
  assertModelFits(stream, model.spec, { declaration: null, card: {} });
  assert.throws(
    () => assertModelFits(stream, model.spec, { declaration: null, card: { words: 'other' } }),
    /other word vectors/,
  );
});

test('a text encoder reads words in their order, any text and none, and a model whose encoder reads other words is refused', () => {
  const sizes = { embedding: 4, encoder: 3, words: true };
  const model = modelOf(GROUPS, callInputSize(sizes), ENCODER);
  const encoded = (text: string): number[] => {
    const value = JSON.stringify({ type: 'utterance', callId: 'c', ts: 1_700_000_000_000, speaker: 'customer', text });
    const inputs = liveInputs(model, [{ topic: 'calls', key: 'c', value, timestampMs: 0 }]);
    assert.ok(inputs.every(Number.isFinite), text);
    return [...inputs.subarray(inputs.length - 4 - 3, inputs.length - 4)];
  };
  assert.notDeepEqual(encoded('so modem so router so'), encoded('so router so modem so'));
  assert.deepEqual(encoded('   '), [0, 0, 0]);
  for (const text of ['😀', 'не работает', '最悪です', 'a\ud800b', 'word '.repeat(400)])
    assert.notDeepEqual(encoded(text), [0, 0, 0], text);
  assert.deepEqual(encoded(`${'word '.repeat(128)}one`), encoded(`${'word '.repeat(128)}two`), 'the first 128 tokens');
  const other = modelOf(GROUPS, callInputSize(sizes), { ...ENCODER, inputSize: 50 });
  assert.throws(() => createCallStream({ modelName: 'm', model: other }), /its textEncoder reads 50 values of a word/);
});
