import { BinaryReader } from '@bufbuild/protobuf/wire';
import { elementCount } from '../../tensors.ts';
import { ImportError } from '../import-error.ts';
import { FLOAT_BYTES, type FloatFormat, float16, float32Of, valueCount } from '../source-tensor.ts';
import type { OnnxTensor } from './proto.ts';
import type { ConstantValue } from './value.ts';

/** TensorProto.DataType. */
const FLOAT_TYPES: Readonly<Record<number, FloatFormat>> = {
  1: 'float32',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
};
const INT_BYTES: Readonly<Record<number, number>> = { 2: 1, 3: 1, 5: 2, 6: 4, 7: 8, 9: 1 };

/** Bytes of a file beside the model, for tensors that lie there. */
export type ReadExternal = (location: string) => Buffer;

/** A tensor of the file as numbers. Throws ImportError where its values are not those of its shape, or of a type that weights do not have. */
export function constantOf(tensor: OnnxTensor, where: string, readExternal: ReadExternal): ConstantValue {
  const { dims, dataType } = tensor;
  const count = valueCount(dims, where);
  const format = Object.hasOwn(FLOAT_TYPES, dataType) ? FLOAT_TYPES[dataType] : undefined;
  const bytesEach = format ? FLOAT_BYTES[format] : INT_BYTES[dataType];
  if (bytesEach === undefined)
    throw new ImportError(
      `${where} has the ONNX data type ${dataType}, must be float32, float16, bfloat16, float64 or an integer type. Export it unquantized.`,
    );
  const raw = tensor.external ? externalBytes(tensor.external, where, readExternal) : tensor.rawData;
  const values = raw
    ? fromRaw(exactly(raw, count * bytesEach, where), dataType, format)
    : fromTyped(tensor, { count, format, where });
  return { kind: 'constant', shape: dims, values, isInteger: format === undefined };
}

function exactly(bytes: Uint8Array, size: number, where: string): Uint8Array {
  if (bytes.length !== size)
    throw new ImportError(
      `${where} has ${bytes.length} bytes of values, its shape needs ${size}. The file is damaged: export it again.`,
    );
  return bytes;
}

function externalBytes(entries: ReadonlyMap<string, string>, where: string, readExternal: ReadExternal): Uint8Array {
  const bytes = readExternal(entries.get('location') ?? '');
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? bytes.length - offset);
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > bytes.length
  )
    throw new ImportError(
      `${where} lies at byte ${offset}, ${length} long, in '${entries.get('location')}' of ${bytes.length} bytes. Copy all files of the model again.`,
    );
  return bytes.subarray(offset, offset + length);
}

function fromRaw(bytes: Uint8Array, dataType: number, format: FloatFormat | undefined): ArrayLike<number> {
  if (format) return float32Of(bytes, format);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = INT_BYTES[dataType];
  const read = (i: number): number => {
    if (size === 8) return Number(view.getBigInt64(i * 8, true));
    if (size === 4) return view.getInt32(i * 4, true);
    if (size === 2) return view.getInt16(i * 2, true);
    return dataType === 3 ? view.getInt8(i) : view.getUint8(i);
  };
  return Float64Array.from({ length: bytes.length / size }, (_, i) => read(i));
}

/** The fields float_data, double_data, int32_data (also float16's and bfloat16's bits) and int64_data. */
function fromTyped(
  tensor: OnnxTensor,
  options: { readonly count: number; readonly format: FloatFormat | undefined; readonly where: string },
): ArrayLike<number> {
  const { count, format, where } = options;
  const none = new Uint8Array();
  if (format === 'float32' || format === 'float64') {
    const bytes = (format === 'float32' ? tensor.floatData : tensor.doubleData) ?? none;
    return float32Of(exactly(bytes, count * FLOAT_BYTES[format], where), format);
  }
  const reader = new BinaryReader((tensor.dataType === 7 ? tensor.int64Data : tensor.int32Data) ?? none);
  // A varint has one byte at least: the field's own size bounds what is allocated.
  if (count > reader.len)
    throw new ImportError(
      `${where} has fewer values than its shape needs (${count}). The file is damaged: export it again.`,
    );
  const values = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    const value = tensor.dataType === 7 ? Number(reader.int64()) : reader.int32();
    values[i] = format === 'float16' ? float16(value) : value;
  }
  if (format === 'bfloat16') throw new ImportError(`${where} keeps bfloat16 in int32_data. Export it with raw_data.`);
  exactly(new Uint8Array(reader.len - reader.pos), 0, where);
  return values;
}

/** Whether all values are one number, and which. */
export function uniformValue({ values, shape }: ConstantValue): number | undefined {
  if (elementCount(shape) === 0) return undefined;
  for (let i = 1; i < values.length; i += 1) if (values[i] !== values[0]) return undefined;
  return values[0];
}
