import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Chunk, ChunkBuilder, type ChunkSchema, decodeChunk, encodeChunk } from '@tideline/pipeline';
import fc from 'fast-check';

const SCHEMA: ChunkSchema = { numbers: ['price', 'size', 'bid'], texts: ['type', 'text'] };

const ROW = fc.record({
  key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
  ms: fc.integer({ min: -1e12, max: 2e12 }),
  subNs: fc.nat(999_999),
  unit: fc.constantFrom('ms' as const, 'us' as const, 'ns' as const),
  numbers: fc.tuple(fc.double(), fc.double(), fc.constant(Number.NaN)),
  texts: fc.tuple(fc.string({ unit: 'grapheme' }), fc.constant('')),
});

function chunkOf(rows: readonly (typeof ROW extends fc.Arbitrary<infer T> ? T : never)[]): Chunk {
  const builder = new ChunkBuilder(SCHEMA, rows.length);
  rows.forEach((row, i) => {
    row.numbers.forEach((value, column) => {
      builder.number(column, value);
    });
    row.texts.forEach((value, column) => {
      builder.text(column, value);
    });
    builder.push(row.key, i * 3, { ms: row.ms, subNs: row.subNs, unit: row.unit });
  });
  return builder.finish(rows.length * 3);
}

test('a chunk comes back from its bytes unchanged, wherever the bytes lie', () => {
  fc.assert(
    fc.property(fc.array(ROW, { maxLength: 30 }), fc.nat(7), (rows, shift) => {
      const chunk = chunkOf(rows);
      const bytes = encodeChunk(chunk);
      const moved = new Uint8Array(bytes.length + 8);
      moved.set(bytes, shift);
      assert.deepEqual(decodeChunk(moved.subarray(shift, shift + bytes.length), SCHEMA), chunk);
    }),
  );
});

test('bytes that are no chunk of the schema are refused', () => {
  const bytes = encodeChunk(chunkOf([]));
  assert.throws(() => decodeChunk(bytes.subarray(0, 10), SCHEMA), /shorter than its header/);
  assert.throws(() => decodeChunk(bytes, { numbers: [], texts: [] }), /3\+2 columns/);
  assert.throws(() => decodeChunk(Uint8Array.from([1, ...bytes.subarray(1)]), SCHEMA), /magic/);
});
