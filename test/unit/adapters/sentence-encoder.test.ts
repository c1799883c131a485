import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createOnnxSentenceEncoder, type OnnxSentenceEncoder } from '@tideline/adapters';
import { ConfigError } from '@tideline/pipeline';
import { expectedSentences, minilmFolder, SENTENCE_ENCODER } from '../../golden/sentence/sentence.ts';

const EXPECTED = expectedSentences();
let encoder: OnnxSentenceEncoder;
let folder = '';

before(async () => {
  encoder = await createOnnxSentenceEncoder({ folder: SENTENCE_ENCODER });
  folder = await mkdtemp(join(tmpdir(), 'tideline-sentence-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const bytesOf = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');

test("values of a text are PyTorch's, of any language, none and too many tokens", async () => {
  const texts = EXPECTED.map(({ text }) => text);
  assert.equal(encoder.size, EXPECTED[0].values.length);
  assert.ok(
    EXPECTED.some(({ ids, text }) => ids.length === 24 && text.length > 200),
    'one is cut',
  );
  (await encoder.encode(texts)).forEach((values, i) => {
    assert.equal(values.length, encoder.size);
    values.forEach((value, d) => {
      assert.ok(Math.abs(value - EXPECTED[i].values[d]) < 1e-6, `${texts[i]}, value ${d}: ${value}`);
    });
  });
  for (const text of ['a\ud800b', '\0', 'x'.repeat(100_000)])
    assert.ok((await encoder.encode([text]))[0].every(Number.isFinite), JSON.stringify(text.slice(0, 10)));
});

test("all-MiniLM-L6-v2 says what ONNX's reference evaluator makes of its file, of 128 tokens at most", async () => {
  const minilm = await createOnnxSentenceEncoder({ folder: minilmFolder() });
  const expected = expectedSentences('minilm.json');
  const found = await minilm.encode(expected.map(({ text }) => text));
  assert.equal(minilm.size, 384);
  expected.forEach(({ text, values }, i) => {
    for (const [d, value] of values.entries())
      assert.ok(Math.abs(found[i][d] - value) < 2e-6, `${text.slice(0, 40)}, value ${d}: ${found[i][d]}, not ${value}`);
  });
  const [one, other] = await minilm.encode(['I am very happy with this.', 'This makes me glad.']);
  const [third] = await minilm.encode(['The parcel weighs two kilos.']);
  const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, d) => sum + value * b[d], 0);
  assert.ok(cosine(one, other) > cosine(one, third) + 0.3, `${cosine(one, other)} and ${cosine(one, third)}`);
});

test('a text has the same bits whoever asks, beside whatever, in any order, from each encoder of the folder', async () => {
  const texts = EXPECTED.map(({ text }) => text);
  const other = await createOnnxSentenceEncoder({ folder: SENTENCE_ENCODER, textsMax: 2 });
  assert.equal(other.digest, encoder.digest);
  const alone = new Map<string, string>();
  for (const text of texts) alone.set(text, bytesOf((await other.encode([text]))[0]));
  // Two shards at once, more texts than are remembered.
  const [one, two] = await Promise.all([other.encode(texts), other.encode([...texts].reverse())]);
  texts.forEach((text, i) => {
    assert.equal(bytesOf(one[i]), alone.get(text));
    assert.equal(bytesOf(two[texts.length - 1 - i]), alone.get(text));
  });
  for (const [i, values] of (await encoder.encode(texts)).entries()) assert.equal(bytesOf(values), alone.get(texts[i]));
});

test('between two texts others have their turn', async () => {
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const texts = Array.from({ length: 20 }, (_, i) => `text number ${i}`);
  await encoder.encode(texts);
  isDone = true;
  assert.ok(turns >= texts.length - 1, `${turns} turns`);
});

test('another model or tokenizer is another digest', async () => {
  const copy = join(folder, 'copy');
  await cp(SENTENCE_ENCODER, copy, { recursive: true });
  assert.equal((await createOnnxSentenceEncoder({ folder: copy })).digest, encoder.digest);
  const path = join(copy, 'tokenizer.json');
  await writeFile(path, (await readFile(path, 'utf8')).replace('"max_length": 24', '"max_length": 20'));
  const shorter = await createOnnxSentenceEncoder({ folder: copy });
  assert.notEqual(shorter.digest, encoder.digest);
  const long = EXPECTED.find(({ ids }) => ids.length === 24)?.text ?? '';
  assert.notDeepEqual(
    await shorter.encode([long]),
    await encoder.encode([long]),
    'the tokenizer says how many tokens are read',
  );
});

test('a folder that is no sentence encoder is refused with the file and the cure', async () => {
  const refused = async (files: Readonly<Record<string, string | Uint8Array>>, message: RegExp): Promise<void> => {
    const own = await mkdtemp(join(folder, 'bad-'));
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(join(own, 'onnx'), { recursive: true });
      await writeFile(join(own, name), bytes);
    }
    await assert.rejects(createOnnxSentenceEncoder({ folder: own }), (error: unknown) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.includes(own), error.message);
      return true;
    });
  };
  const [model, tokenizer] = await Promise.all(
    ['onnx/model.onnx', 'tokenizer.json'].map((name) => readFile(join(SENTENCE_ENCODER, name))),
  );
  await refused({}, /has no model\.onnx and no tokenizer\.json: put there/);
  await refused({ 'onnx/model.onnx': model }, /has no tokenizer\.json: put there/);
  await refused(
    { 'model.onnx': model.subarray(0, 1_000), 'tokenizer.json': tokenizer },
    /does not work: .* Export a sentence transformer/,
  );
  await refused({ 'model.onnx': model, 'tokenizer.json': '{"model":' }, /tokenizer\.json' is no JSON/);
  await refused({ 'model.onnx': model, 'tokenizer.json': '{}' }, /does not work: /);
  const lstm = await readFile(join(SENTENCE_ENCODER, '..', '..', 'import', 'onnx', 'lstm-step.onnx'));
  await refused({ 'model.onnx': lstm, 'tokenizer.json': tokenizer }, /asks for the input 'x'; known are input_ids/);
});
