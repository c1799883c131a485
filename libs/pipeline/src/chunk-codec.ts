/**
 * The bytes of a chunk in the shard's log. Little-endian; every numeric section starts at a multiple of 8, so decoding makes views, not copies.
 *
 * Layout: header of 6 u32 (magic, rows, keys, numbers, texts, bytes of all strings), next f64, offsets f64[n], timeMs f64[n], numbers' presence u8[c],
 * present numbers f64[n] each, keyOf u32[n], timeSubNs u32[n], string lengths u32[keys + n * texts], timeUnit u8[n], strings UTF-8.
 * A column that is absent from every row (all NaN) takes no room. Where the records themselves are kept, their columns stand after the schema's texts.
 */
import type { Chunk, ChunkSchema } from './chunk.ts';
import { ORIGINAL_COLUMNS } from './originals.ts';

const MAGIC = 0x31434c54; // 'TLC1'
const HEADER_BYTES = 32;

const align8 = (at: number): number => (at + 7) & ~7;

/** Bytes of `chunk`; `decodeChunk(encodeChunk(c), schema)` equals `c`. */
export function encodeChunk(chunk: Chunk): Uint8Array {
  const n = chunk.rows;
  const present = chunk.numbers.map((column) => column.some((value) => !Number.isNaN(value)));
  const texts = [...chunk.texts, ...chunk.originals];
  const strings = [...chunk.keys, ...texts.flat()];
  const blob = Buffer.from(strings.join(''), 'utf8');
  const layout = sections(n, present, chunk.keys.length, texts.length);
  const bytes = new Uint8Array(layout.strings + blob.length);
  const header = new DataView(bytes.buffer);
  [MAGIC, n, chunk.keys.length, chunk.numbers.length, texts.length, blob.length].forEach((value, at) => {
    header.setUint32(at * 4, value, true);
  });
  header.setFloat64(24, chunk.next, true);
  new Float64Array(bytes.buffer, layout.offsets, n).set(chunk.offsets);
  new Float64Array(bytes.buffer, layout.timeMs, n).set(chunk.timeMs);
  present.forEach((is, column) => {
    bytes[layout.presence + column] = is ? 1 : 0;
  });
  let at = layout.numbers;
  chunk.numbers.forEach((column, index) => {
    if (!present[index]) return;
    new Float64Array(bytes.buffer, at, n).set(column);
    at += n * 8;
  });
  new Uint32Array(bytes.buffer, layout.keyOf, n).set(chunk.keyOf);
  new Uint32Array(bytes.buffer, layout.timeSubNs, n).set(chunk.timeSubNs);
  const lengths = new Uint32Array(bytes.buffer, layout.lengths, strings.length);
  strings.forEach((text, index) => {
    lengths[index] = Buffer.byteLength(text, 'utf8');
  });
  bytes.set(chunk.timeUnit, layout.timeUnit);
  bytes.set(blob, layout.strings);
  return bytes;
}

/** Reads a chunk back. Throws RangeError where the bytes are not a chunk of this schema. */
export function decodeChunk(source: Uint8Array, schema: ChunkSchema): Chunk {
  // Sections need 8-byte alignment, which a slice of a network buffer does not have.
  const bytes = source.byteOffset % 8 === 0 ? source : new Uint8Array(source);
  const { buffer, byteOffset: base } = bytes;
  if (bytes.length < HEADER_BYTES) throw new RangeError('A chunk is shorter than its header.');
  const header = new DataView(buffer, base, HEADER_BYTES);
  const [magic, n, keyCount, numberCount, textCount, blobBytes] = [0, 4, 8, 12, 16, 20].map((at) =>
    header.getUint32(at, true),
  );
  if (magic !== MAGIC) throw new RangeError('A chunk does not start with its magic number.');
  const originalCount = textCount - schema.texts.length;
  if (numberCount !== schema.numbers.length || (originalCount !== 0 && originalCount !== ORIGINAL_COLUMNS))
    throw new RangeError(
      `A chunk has ${numberCount}+${textCount} columns, its stream ${schema.numbers.length}+${schema.texts.length}.`,
    );
  const presenceAt = HEADER_BYTES + n * 16;
  const present = Array.from(bytes.subarray(presenceAt, presenceAt + numberCount), (flag) => flag === 1);
  const layout = sections(n, present, keyCount, textCount);
  if (bytes.length !== layout.strings + blobBytes) throw new RangeError('A chunk is truncated.');
  let at = layout.numbers;
  const numbers = present.map((is) => {
    if (!is) return new Float64Array(n).fill(Number.NaN);
    at += n * 8;
    return new Float64Array(buffer, base + at - n * 8, n);
  });
  const strings = readStrings(bytes, layout, keyCount + n * textCount);
  const columns = Array.from({ length: textCount }, (_, column) =>
    strings.slice(keyCount + column * n, keyCount + (column + 1) * n),
  );
  return {
    next: header.getFloat64(24, true),
    rows: n,
    keys: strings.slice(0, keyCount),
    keyOf: new Uint32Array(buffer, base + layout.keyOf, n),
    offsets: new Float64Array(buffer, base + layout.offsets, n),
    timeMs: new Float64Array(buffer, base + layout.timeMs, n),
    timeSubNs: new Uint32Array(buffer, base + layout.timeSubNs, n),
    timeUnit: bytes.subarray(layout.timeUnit, layout.timeUnit + n),
    numbers,
    texts: columns.slice(0, schema.texts.length),
    originals: columns.slice(schema.texts.length),
  };
}

/** The keys of an encoded chunk, read without the rest. Throws RangeError where the bytes are no chunk. */
export function chunkKeys(bytes: Uint8Array): string[] {
  if (bytes.length < HEADER_BYTES) throw new RangeError('A chunk is shorter than its header.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [magic, n, keyCount, numberCount, textCount] = [0, 4, 8, 12, 16].map((at) => view.getUint32(at, true));
  if (magic !== MAGIC) throw new RangeError('A chunk does not start with its magic number.');
  const presenceAt = HEADER_BYTES + n * 16;
  const present = Array.from(bytes.subarray(presenceAt, presenceAt + numberCount), (flag) => flag === 1);
  const layout = sections(n, present, keyCount, textCount);
  const blob = Buffer.from(bytes.buffer, bytes.byteOffset + layout.strings, bytes.length - layout.strings);
  let at = 0;
  return Array.from({ length: keyCount }, (_, i) => {
    const end = at + view.getUint32(layout.lengths + i * 4, true);
    const key = blob.toString('utf8', at, end);
    at = end;
    return key;
  });
}

interface Layout {
  readonly offsets: number;
  readonly timeMs: number;
  readonly presence: number;
  readonly numbers: number;
  readonly keyOf: number;
  readonly timeSubNs: number;
  readonly lengths: number;
  readonly timeUnit: number;
  readonly strings: number;
}

function sections(n: number, present: readonly boolean[], keyCount: number, textCount: number): Layout {
  const offsets = HEADER_BYTES;
  const timeMs = offsets + n * 8;
  const presence = timeMs + n * 8;
  const numbers = align8(presence + present.length);
  const keyOf = numbers + present.filter(Boolean).length * n * 8;
  const timeSubNs = align8(keyOf + n * 4);
  const lengths = align8(timeSubNs + n * 4);
  const timeUnit = lengths + (keyCount + n * textCount) * 4;
  return { offsets, timeMs, presence, numbers, keyOf, timeSubNs, lengths, timeUnit, strings: timeUnit + n };
}

function readStrings(bytes: Uint8Array, layout: Layout, count: number): string[] {
  const lengths = new Uint32Array(bytes.buffer, bytes.byteOffset + layout.lengths, count);
  const blob = Buffer.from(bytes.buffer, bytes.byteOffset + layout.strings, bytes.length - layout.strings);
  const strings = new Array<string>(count);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    strings[i] = lengths[i] === 0 ? '' : blob.toString('utf8', at, at + lengths[i]);
    at += lengths[i];
  }
  return strings;
}
