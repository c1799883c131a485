/** Call models that read a sentence encoder: where its values stand, and which encoder it must be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxSentenceEncoder } from '@tideline/adapters';
import { createModel, initWeights, type Model, type ModelSpec, SeededRandom } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { callInputSize, createCallStream, generatedCalls, type SentenceEncoder } from '@tideline/streams';
import { readPreparedRows, readRows } from '@tideline/trainer';
import { SENTENCE_ENCODER } from '../../golden/sentence/sentence.ts';

const RECORDS = [...generatedCalls({ seed: 5, calls: 6 })];
const ENCODER = await createOnnxSentenceEncoder({ folder: SENTENCE_ENCODER });
const TABLE = 4;

function modelOf(sentenceEncoder?: Pick<SentenceEncoder, 'size' | 'digest'>): Model {
  const spec: ModelSpec = {
    ...{ name: 'toy', cell: 'gru', hiddenSize: 3, layers: 1, outputSize: 3, embedding: { buckets: 64, size: TABLE } },
    inputSize: callInputSize({ embedding: TABLE, sentence: sentenceEncoder?.size ?? 0, words: true }),
    head: { kind: 'classes', groups: [{ name: 'sentiment', classes: ['negative', 'neutral', 'positive'] }] },
    ...(sentenceEncoder ? { sentenceEncoder: { size: sentenceEncoder.size, digest: sentenceEncoder.digest } } : {}),
  };
  const random = new SeededRandom(2);
  return createModel(
    spec,
    initWeights(spec, () => random.next()),
  );
}

test("a turn's inputs are those without the encoder with its values before the table's", async () => {
  const model = modelOf(ENCODER);
  const { series } = await readPreparedRows(
    createCallStream({ modelName: 'm', model, sentenceEncoder: ENCODER }),
    RECORDS,
  );
  const plain = modelOf();
  const without = readRows(createCallStream({ modelName: 'm', model: plain }), RECORDS).series;
  const [width, dense] = [model.spec.inputSize, plain.spec.inputSize - TABLE];
  assert.equal(series.length, 6);
  for (const [s, { inputs, rows, records }] of series.entries())
    for (let row = 0; row < rows; row += 1) {
      const own = inputs.subarray(row * width, (row + 1) * width);
      const other = without[s].inputs.subarray(row * (width - ENCODER.size), (row + 1) * (width - ENCODER.size));
      assert.deepEqual(own.slice(0, dense), other.slice(0, dense));
      const { text } = JSON.parse(records[row].value) as { text: string };
      assert.deepEqual(own.slice(dense, dense + ENCODER.size), (await ENCODER.encode([text]))[0]);
      assert.ok(own.subarray(dense + ENCODER.size).some((value) => value !== 0));
    }
});

test('what is encoded are final utterances, redacted, each once', async () => {
  const asked: string[] = [];
  const spy: SentenceEncoder = {
    ...ENCODER,
    encode: (texts) => {
      asked.push(...texts);
      return ENCODER.encode(texts);
    },
  };
  const event = (value: object) => ({
    ...{ topic: 'calls', key: 'c', timestampMs: 0 },
    value: JSON.stringify({ callId: 'c', ts: 1_700_000_000_000, type: 'utterance', speaker: 'customer', ...value }),
  });
  const stream = createCallStream({ modelName: 'm', model: modelOf(ENCODER), sentenceEncoder: spy });
  await readPreparedRows(stream, [
    event({ type: 'started' }),
    event({ text: 'mail me', final: false, startMs: 1 }),
    event({ text: 'mail me at joe@example.org', startMs: 1 }),
    event({ text: 'thanks', startMs: 2 }),
    event({ text: 'thanks', startMs: 3 }),
    event({ type: 'ended' }),
  ]);
  assert.equal(asked.length, 2);
  assert.match(asked[0], /^mail me at (?!joe).+/);
  assert.equal(asked[1], 'thanks');
});

test('an encoder that the model was not trained with is refused, as is none', async () => {
  const refused = (model: Model, sentenceEncoder: SentenceEncoder, message: RegExp): void =>
    assert.throws(
      () => createCallStream({ modelName: 'm', model, sentenceEncoder }),
      (error: unknown) => error instanceof ConfigError && message.test(error.message),
    );
  refused(modelOf(), ENCODER, /'toy' reads no sentence encoder, but .* leave it out, or train a model/);
  const other = { ...ENCODER, digest: '0f'.repeat(32) };
  refused(modelOf(ENCODER), other, /was trained with the sentence encoder \w{12} of 32 values, .* names 0f0f/);
  const stream = createCallStream({ modelName: 'm', model: modelOf(ENCODER) });
  await assert.rejects(readPreparedRows(stream, RECORDS), /was trained with a sentence encoder .*: name its folder/);
  assert.throws(() => readRows(stream, RECORDS), /was advanced before it was prepared/);
});
