/** The one weights format holds every kind of model; what a program does not know it refuses instead of running something else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  createModel,
  decodeModel,
  encodeModel,
  initWeights,
  loadModel,
  ModelError,
  type ModelSpec,
  type TextEncoderSpec,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';
import fc from 'fast-check';
import { familySpecs } from './family-specs.ts';

const PLAIN: ModelSpec = { name: 'toy', cell: 'lstm', inputSize: 3, hiddenSize: 4, layers: 2, outputSize: 2 };
const ENCODER: TextEncoderSpec = {
  ...{ cell: 'lstm', inputSize: 4, hiddenSize: 2, layers: 1, outputSize: 2, bidirectional: true },
  ...{ embedding: { buckets: 5, size: 2 }, head: { kind: 'linear', scope: 'sequence' } },
};
const FAMILY: readonly Partial<ModelSpec>[] = [
  { peephole: true },
  { layerNorm: true },
  { embedding: { buckets: 6, size: 2 } },
  { textEncoder: ENCODER },
  { sentenceEncoder: { size: 2, digest: '0f'.repeat(32) } },
  { inputLayer: 5 },
  { inputLayer: 5, inputActivation: 'relu' },
  { skipConnection: true },
  { bidirectional: true },
  { decoder: { knownSize: 2 } },
  { head: { kind: 'multi-quantile', levels: [0.1, 0.9] } },
  { head: { kind: 'classes', scope: 'last-step' } },
  { head: { kind: 'classes', groups: [{ name: 'mood', classes: ['good', 'bad'] }] } },
];
const DIGEST_BYTES = 32;

function encoded(spec: ModelSpec): Buffer {
  return Buffer.from(encodeModel(spec, initWeights(spec, mulberry32(1)), { seed: 1 }));
}

function sealed(file: Buffer): Buffer {
  const end = file.length - DIGEST_BYTES;
  createHash('sha256').update(file.subarray(0, end)).digest().copy(file, end);
  return file;
}

/** The file with another text of the same length in its header. */
function withText(file: Buffer, from: string, to: string): Buffer {
  assert.equal(from.length, to.length);
  const at = file.indexOf(from);
  assert(at !== -1, from);
  file.write(to, at, 'latin1');
  return sealed(file);
}

function assertRefused(file: Buffer, message: RegExp): void {
  assert.throws(
    () => decodeModel(file, 'model.tdl'),
    (error) => {
      assert(error instanceof ModelError, String(error));
      assert.match(error.message, /^model\.tdl/);
      assert.match(error.message, message);
      return true;
    },
  );
}

test('every kind of model comes back as it was written', () => {
  fc.assert(
    fc.property(familySpecs, (spec) => {
      const weights = initWeights(spec, mulberry32(2));
      const { model, card } = decodeModel(encodeModel(spec, weights, { note: 'π' }));
      assert.deepEqual(model, createModel(spec, weights));
      assert.deepEqual(card, { note: 'π' });
    }),
  );
});

test('a plain model is written as version 1, as ever; one with more as version 2', () => {
  for (const part of [{}, { peephole: false }, { head: { kind: 'linear' } } as const])
    assert.equal(encoded({ ...PLAIN, ...part }).readUInt32LE(8), 1);
  for (const part of FAMILY) assert.equal(encoded({ ...PLAIN, ...part }).readUInt32LE(8), 2, JSON.stringify(part));
});

test('the shipped models, written before there were others, load', async () => {
  const folder = fileURLToPath(new URL('../../../../models/', import.meta.url));
  const names = readdirSync(folder);
  assert.ok(names.length >= 2);
  for (const name of names) assert.equal((await loadModel(`${folder}${name}/model.tdl`)).model.spec.name, name);
});

test('any one flipped bit and any truncation is refused, of every kind', () => {
  for (const part of FAMILY) {
    const file = encoded({ ...PLAIN, ...part });
    fc.assert(
      fc.property(fc.nat(file.length * 8 - 1), (bit) => {
        const damaged = Buffer.from(file);
        damaged[bit >> 3] ^= 1 << (bit & 7);
        assertRefused(damaged, /checksum|does not start|format version/);
      }),
      { numRuns: 25 },
    );
    fc.assert(
      fc.property(fc.nat(file.length - 1), (length) => assertRefused(file.subarray(0, length), /./)),
      { numRuns: 25 },
    );
  }
});

test('a file of version 1 whose spec needs version 2 is refused: another program would leave that out', () => {
  const file = encoded({ ...PLAIN, peephole: true });
  file.writeUInt32LE(1, 8);
  assertRefused(sealed(file), /format version 1, its spec has 'peephole', which came with version 2/);
});

test('what this program does not know in a spec, its head or its decoder is refused by name', () => {
  assertRefused(
    withText(encoded({ ...PLAIN, peephole: true }), '"peephole":true', '"peepholX":true'),
    /says 'peepholX' in its spec/,
  );
  assertRefused(
    withText(encoded({ ...PLAIN, decoder: { knownSize: 2 } }), '"knownSize":2', '"knownSizX":2'),
    /says 'decoder\.knownSizX' in its spec, which this program does not know/,
  );
  assertRefused(
    withText(encoded({ ...PLAIN, head: { kind: 'linear', scope: 'last-step' } }), '"scope":', '"scopX":'),
    /says 'head\.scopX' in its spec/,
  );
});

test('a header that lies about its kind is refused by the tensor that is not there', () => {
  const lies: readonly [Partial<ModelSpec>, string, string, RegExp][] = [
    [{ bidirectional: true }, 'l1_reverse', 'l1_revers_', /tensor weight_ih_l1_reverse has shape \[none\]/],
    [{ peephole: true }, 'weight_p_l1', 'weight_q_l1', /tensor weight_p_l1 has shape \[none\], its spec needs \[12\]/],
    [{ layerNorm: true }, 'norm_c_shift_l0', 'norm_c_shift_l9', /tensor norm_c_shift_l0 has shape \[none\]/],
    [
      { decoder: { knownSize: 2 } },
      '"knownSize":2',
      '"knownSize":3',
      /decoder\.weight_ih_l0 has shape \[16, 4\], its spec needs \[16, 5\]/,
    ],
    [
      { head: { kind: 'multi-quantile', levels: [0.1, 0.9] } },
      '[0.1,0.9]',
      '[0.9,0.1]',
      /head\.levels is \[0\.9,0\.1\]/,
    ],
  ];
  for (const [part, from, to, message] of lies)
    assertRefused(withText(encoded({ ...PLAIN, ...part }), from, to), message);
});
