import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, embeddingOf, initWeights, type ModelSpec, SeededRandom } from '@tideline/nn';
import { createTextFeatures, decodeWordVectors, englishWordVectors, gramBuckets, tokensOf } from '@tideline/streams';
import fc from 'fast-check';

const WORDS = englishWordVectors();
const SPEC: ModelSpec = {
  ...{ name: 'toy', cell: 'gru', inputSize: 12, hiddenSize: 2, layers: 1, outputSize: 1 },
  embedding: { buckets: 512, size: 8 },
};
const MODEL = createModel(
  SPEC,
  initWeights(
    SPEC,
    (
      (random) => () =>
        random.next()
    )(new SeededRandom(1)),
  ),
);
const FEATURES = createTextFeatures({ words: WORDS, encoder: null, embedding: embeddingOf(MODEL) });

function featuresOf(text: string): Float32Array {
  const inputs = new Float32Array(FEATURES.size + 2).fill(7);
  FEATURES.write(text, inputs, 1);
  assert.equal(inputs[0], 7);
  assert.equal(inputs[FEATURES.size + 1], 7);
  return inputs.subarray(1, -1);
}

test('words, marks and signs of any script are tokens', () => {
  const cases: readonly [string, readonly string[]][] = [
    ["Don't, it’s MINE!", ['do', "n't", ',', 'it', "'s", 'mine', '!']],
    ['call 555-0192 now…', ['call', '000', '-', '0000', 'now', '…']],
    ['Größe ÉTÉ naïve Ünal', ['größe', 'été', 'naïve', 'ünal']],
    ['Это ужасно', ['это', 'ужасно']],
    ['最悪です ok', ['最', '悪', 'で', 'す', 'ok']],
    ['แย่', ['แ', 'ย', '่']],
    ['नमस्ते', ['नमस्ते']],
    ['bad 😡👍', ['bad', '😡', '👍']],
    ["'quoted' o'clock'", ["'", 'quoted', "'", "o'clock", "'"]],
    ['\u0000\ud800 \udfff', []],
    ['', []],
  ];
  for (const [text, tokens] of cases) assert.deepEqual(tokensOf(text), tokens, text);
});

test('no string fails: every byte sequence read as UTF-8 and every sequence of UTF-16 units gives finite features, the same each time', () => {
  const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('utf8'));
  const anyUnits = fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 })
    .map((units) => String.fromCharCode(...units));
  const anyPoints = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(fc.oneof(anyBytes, anyUnits, anyPoints), (text) => {
      const tokens = tokensOf(text);
      assert(tokens.every((token) => token !== '' && !/\s/.test(token)));
      assert(gramBuckets(tokens, 97).every((bucket) => Number.isInteger(bucket) && bucket >= 0 && bucket < 97));
      const features = featuresOf(text);
      assert(features.every(Number.isFinite));
      assert.deepEqual(featuresOf(text), features);
    }),
    { numRuns: 600 },
  );
});

test('a text of any length costs what 2,000 characters cost', () => {
  assert.deepEqual(tokensOf('ab '.repeat(1_000_000)), tokensOf('ab '.repeat(667)));
  assert(featuresOf('x'.repeat(1_000_000)).every(Number.isFinite));
});

test('the hash of n-grams is fixed for good: a trained table depends on it', () => {
  const pinned = [878, 1683, 636, 3137, 57, 2917, 3304, 885, 4069, 1125, 631, 594, 2207, 3932, 558, 2847, 358];
  assert.deepEqual(gramBuckets(tokensOf('I am not happy, 你好'), 4096), pinned);
  const shared = (a: string, b: string): number => {
    const known = new Set(gramBuckets(tokensOf(a), 65_536));
    return gramBuckets(tokensOf(b), 65_536).filter((bucket) => known.has(bucket)).length;
  };
  assert(shared('complained', 'complaint') >= 5, 'words of one stem share runs of characters');
  assert.equal(shared('refund', 'weather'), 0);
});

test('no digit of a number is in the features', () => {
  assert.deepEqual(featuresOf('my card is 4111 1111 1111 1111'), featuresOf('my card is 5500 0000 0000 0004'));
});

test('the shipped vectors know English words, marks and clitics, near ones for near meanings', () => {
  const cosine = (a: string, b: string): number => {
    const [x, y] = [a, b].map((word) => {
      const row = WORDS.rowOf(word);
      assert.notEqual(row, -1, word);
      return WORDS.values.subarray(row * WORDS.size, (row + 1) * WORDS.size);
    });
    const dot = (p: Float32Array, q: Float32Array): number => p.reduce((sum, value, i) => sum + value * q[i], 0);
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  };
  assert(cosine('terrible', 'awful') > 0.6);
  assert(cosine('terrible', 'awful') > cosine('terrible', 'invoice') + 0.3);
  assert.equal(cosine("n't", 'not').toFixed(6), '1.000000');
  assert.equal(WORDS.rowOf('ужасно'), -1);
  assert.equal(WORDS.rowOf('constructor'), WORDS.rowOf('toString'));
  assert.deepEqual(WORDS.languages, ['en']);
});

test('a damaged file of word vectors is refused', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), Buffer.from('TIDEWORD\u0002')])
    assert.throws(() => decodeWordVectors(bytes, ['en']), /damaged/);
});
