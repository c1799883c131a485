/**
 * Reader of the safetensors format (Hugging Face, github.com/huggingface/safetensors): header length u64, header JSON
 * {name: {dtype, shape, data_offsets: [begin, end]}, __metadata__?}, raw little-endian values without holes. It holds no code.
 */
import { ImportError } from './import-error.ts';
import { isObject, JSON_BYTES_MAX, parseJsonObject } from './model-folder.ts';
import { FLOAT_BYTES, type FloatFormat, float32Of, type SourceTensor, valueCount } from './source-tensor.ts';

const LENGTH_BYTES = 8;
const FORMATS: Readonly<Record<string, FloatFormat>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

interface Entry {
  readonly name: string;
  readonly format: FloatFormat;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Whether bytes look like safetensors: a header length within the file, then an object. */
export function isSafetensors(bytes: Buffer): boolean {
  return bytes.length > LENGTH_BYTES && bytes[LENGTH_BYTES] === 0x7b && bytes.readBigUInt64LE(0) < JSON_BYTES_MAX;
}

/** All tensors, in the file's order. Throws ImportError where a header or an offset is not true. */
export function readSafetensors(bytes: Buffer, from: string): SourceTensor[] {
  const headerBytes = bytes.length < LENGTH_BYTES ? Number.NaN : Number(bytes.readBigUInt64LE(0));
  const start = LENGTH_BYTES + headerBytes;
  if (!(headerBytes <= JSON_BYTES_MAX && start <= bytes.length))
    throw new ImportError(
      `${from} is damaged or truncated: its header of ${headerBytes} bytes lies outside of its ${bytes.length} bytes. Copy it again.`,
    );
  const header = parseJsonObject(bytes.subarray(LENGTH_BYTES, start), `The header of ${from}`);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => entryOf(name, entry, from))
    .sort((a, b) => a.begin - b.begin);
  assertWhole(entries, bytes.length - start, from);
  return entries.map(({ name, format, shape, begin, end }) => ({
    name,
    shape,
    values: float32Of(bytes.subarray(start + begin, start + end), format),
  }));
}

function entryOf(name: string, entry: unknown, from: string): Entry {
  const where = `${from}: tensor '${name}'`;
  if (!isObject(entry)) throw new ImportError(`${where} is described by no object. Save it again.`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const format = typeof dtype === 'string' && Object.hasOwn(FORMATS, dtype) ? FORMATS[dtype] : undefined;
  if (!format)
    throw new ImportError(
      `${where} has the dtype ${JSON.stringify(dtype)}, must be one of ${Object.keys(FORMATS).join(', ')}. Save the weights as floating point, not quantized.`,
    );
  const size = valueCount(shape, where) * FLOAT_BYTES[format];
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? (offsets as unknown[]).map(Number) : [];
  if (!Number.isSafeInteger(begin) || begin < 0 || end !== begin + size)
    throw new ImportError(
      `${where} lies at ${JSON.stringify(offsets)}, its shape needs ${size} bytes. The file is damaged: save it again.`,
    );
  return { name, format, shape: shape as number[], begin, end };
}

/** The format knows no holes, no overlaps and nothing after the last tensor; so every byte has one meaning. */
function assertWhole(entries: readonly Entry[], dataBytes: number, from: string): void {
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== at)
      throw new ImportError(
        `${from}: tensor '${name}' starts at byte ${begin}, the one before ends at ${at}. The file is damaged: save it again.`,
      );
    at = end;
  }
  if (at !== dataBytes)
    throw new ImportError(
      `${from} is damaged or truncated: its tensors take ${at} bytes, ${dataBytes} are there. Copy it again.`,
    );
}
