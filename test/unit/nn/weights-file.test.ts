/** A weights file is read whole and true or not at all. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createModel,
  decodeModel,
  encodeModel,
  initWeights,
  loadModel,
  ModelError,
  type ModelSpec,
  saveModel,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';
import fc from 'fast-check';

const SPEC: ModelSpec = { name: 'toy', cell: 'lstm', inputSize: 3, hiddenSize: 4, layers: 2, outputSize: 2 };
const WEIGHTS = initWeights(SPEC, mulberry32(1));
const CARD = { licence: 'CC0-1.0', metrics: { pinball: 0.25 }, note: 'π' };
const DIGEST_BYTES = 32;

function encoded(): Buffer {
  return Buffer.from(encodeModel(SPEC, WEIGHTS, CARD));
}

/** The file with another header, its checksum true again. */
function withHeader(change: (header: Record<string, unknown>) => unknown): Buffer {
  const file = encoded();
  const length = file.readUInt32LE(12);
  const start = Math.ceil((16 + length) / 64) * 64;
  const header = Buffer.from(JSON.stringify(change(JSON.parse(file.toString('utf8', 16, 16 + length)))));
  const startThen = Math.ceil((16 + header.length) / 64) * 64;
  const changed = Buffer.alloc(startThen + file.length - start);
  file.copy(changed, 0, 0, 12);
  changed.writeUInt32LE(header.length, 12);
  header.copy(changed, 16);
  file.copy(changed, startThen, start);
  return sealed(changed);
}

function sealed(file: Buffer): Buffer {
  const end = file.length - DIGEST_BYTES;
  createHash('sha256').update(file.subarray(0, end)).digest().copy(file, end);
  return file;
}

function refusal(file: Uint8Array): string {
  let message = '';
  assert.throws(
    () => decodeModel(file, 'model.tdl'),
    (error) => {
      assert(error instanceof ModelError, String(error));
      assert.equal(error.code, 'MODEL_INVALID');
      message = error.message;
      return true;
    },
  );
  assert.match(message, /^model\.tdl/);
  return message;
}

test('a model comes back as it was written, with its card and its digest', () => {
  const { model, card } = decodeModel(encoded());
  assert.deepEqual(model, createModel(SPEC, WEIGHTS));
  assert.deepEqual(card, CARD);
});

test('bytes that start anywhere in a buffer are read', () => {
  const file = encoded();
  const shifted = new Uint8Array(file.length + 3);
  shifted.set(file, 3);
  assert.deepEqual(decodeModel(shifted.subarray(3)).model, createModel(SPEC, WEIGHTS));
});

test('the digest speaks of shape and weights, not of the name', () => {
  const { digest } = createModel(SPEC, WEIGHTS);
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.equal(createModel({ ...SPEC, name: 'other' }, WEIGHTS).digest, digest);
  const headB = Float32Array.from(WEIGHTS.headB);
  headB[0] += 1e-7;
  assert.notEqual(createModel(SPEC, { ...WEIGHTS, headB }).digest, digest);
});

test('a GRU’s reset convention is part of its digest; naming the default is not a change', () => {
  const spec: ModelSpec = { ...SPEC, cell: 'gru' };
  const weights = initWeights(spec, mulberry32(1));
  const digestOf = (gruReset: 'after' | 'before') => createModel({ ...spec, gruReset }, weights).digest;
  assert.equal(createModel(spec, weights).digest, digestOf('after'));
  assert.notEqual(digestOf('before'), digestOf('after'));
});

test('any one flipped bit is refused', () => {
  const file = encoded();
  fc.assert(
    fc.property(fc.nat(file.length * 8 - 1), (bit) => {
      const damaged = Buffer.from(file);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      refusal(damaged);
    }),
  );
});

test('any truncation, and anything added at the end, is refused', () => {
  const file = encoded();
  fc.assert(fc.property(fc.nat(file.length - 1), (length) => void refusal(file.subarray(0, length))));
  refusal(Buffer.concat([file, Buffer.alloc(1)]));
});

test('another magic and another version are named', () => {
  const other = encoded();
  other.write('PK', 0, 'latin1');
  assert.match(refusal(other), /does not start with 'TIDELINE'/);
  const later = encoded();
  later.writeUInt32LE(9, 8);
  assert.match(refusal(sealed(later)), /format version 9, this program reads 1 and 2/);
});

test('a header that lies is refused by the field that it lies about', () => {
  const cases: readonly [(header: Record<string, unknown>) => unknown, RegExp][] = [
    [() => null, /without spec, tensors or card/],
    [({ spec, tensors }) => ({ spec, tensors }), /without spec, tensors or card/],
    [
      (header) => ({ ...header, spec: { ...SPEC, hiddenSize: 5 } }),
      /weight_ih_l0 has shape \[16, 3\].* needs \[20, 3\]/,
    ],
    [(header) => ({ ...header, spec: { ...SPEC, layers: 3 } }), /weight_ih_l2 has shape \[none\]/],
    [(header) => ({ ...header, spec: { ...SPEC, cell: 'qrnn' } }), /cell is 'qrnn', must be one of rnn, lstm, gru/],
    [(header) => ({ ...header, spec: { ...SPEC, inputSize: 0.5 } }), /inputSize is 0\.5, must be a whole number/],
    [(header) => ({ ...header, spec: { ...SPEC, outputSize: 1e9 } }), /outputSize is 1000000000/],
    [(header) => ({ ...header, spec: { ...SPEC, name: 7 } }), /name is 7/],
    [(header) => ({ ...header, spec: { ...SPEC, gruReset: 'never' } }), /gruReset is 'never'/],
    [(header) => ({ ...header, tensors: [{ name: 'weight_ih_l0', shape: [16, 3], at: -4 }] }), /entry 0/],
    [(header) => ({ ...header, tensors: [{ name: 'weight_ih_l0', shape: [16, 3], at: 1e6 }] }), /beyond the file/],
    [(header) => ({ ...header, tensors: [{ name: 'weight_ih_l0', shape: 16, at: 0 }] }), /entry 0/],
  ];
  for (const [change, message] of cases) assert.match(refusal(withHeader(change)), message);
});

test('a header length beyond the file is refused', () => {
  const file = encoded();
  file.writeUInt32LE(0xfffffff0, 12);
  assert.match(refusal(sealed(file)), /header longer than the file/);
});

test('weights that are not finite are refused by tensor and place, in a file and in memory', () => {
  const file = encoded();
  file.writeFloatLE(Number.NaN, file.length - DIGEST_BYTES - 4);
  assert.match(refusal(sealed(file)), /tensor head\.bias holds NaN at index 1/);
  const headW = Float32Array.from(WEIGHTS.headW);
  headW[5] = Number.NEGATIVE_INFINITY;
  assert.throws(() => encodeModel(SPEC, { ...WEIGHTS, headW }), /tensor head\.weight holds -Infinity at index 5/);
});

test('weights of another shape than the spec are refused by tensor', () => {
  assert.throws(
    () => createModel({ ...SPEC, inputSize: 4 }, WEIGHTS),
    /tensor weight_ih_l0 has 48 values, its shape \[16, 4\] needs 64/,
  );
  assert.throws(() => createModel({ ...SPEC, outputSize: 3 }, WEIGHTS), ModelError);
  assert.throws(() => createModel({ ...SPEC, layers: 1 }, WEIGHTS), ModelError);
});

test('a file is written whole, in folders that need not exist, and read back', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-weights-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'a', 'b', 'model.tdl');
  await saveModel(path, { spec: SPEC, weights: WEIGHTS }, CARD);
  await saveModel(path, { spec: SPEC, weights: WEIGHTS }, CARD);
  assert.deepEqual(await readdir(join(folder, 'a', 'b')), ['model.tdl']);
  assert.deepEqual(await loadModel(path), { model: createModel(SPEC, WEIGHTS), card: CARD });
});

test('a file that is missing, a folder or damaged is named with its path and a cure', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-weights-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'model.tdl');
  await assert.rejects(loadModel(path), { name: 'ModelError', message: /no model at '.*model\.tdl'\. Train one/ });
  await assert.rejects(loadModel(folder), { name: 'ModelError', message: /cannot be read \(EISDIR\)/ });
  await writeFile(path, encoded().subarray(0, 200));
  await assert.rejects(loadModel(path), { name: 'ModelError', message: /model\.tdl' is damaged or truncated/ });
});
