import { elementCount } from '../tensors.ts';
import { ImportError } from './import-error.ts';

/** A tensor of the file, row-major, as float32. */
export interface SourceTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The number formats that weights come in, and their bytes. */
export const FLOAT_BYTES = { float16: 2, bfloat16: 2, float32: 4, float64: 8 } as const;
export type FloatFormat = keyof typeof FLOAT_BYTES;

/** Values a tensor at most: 1 GiB of float32. */
export const VALUES_MAX = 2 ** 28;
const DIMENSIONS_MAX = 8;

/** Values of a shape. Throws ImportError where it is no shape or too large; `where` names the tensor. */
export function valueCount(shape: unknown, where: string): number {
  const isShape =
    Array.isArray(shape) &&
    shape.length <= DIMENSIONS_MAX &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  const count = isShape ? elementCount(shape) : Number.NaN;
  if (!(count <= VALUES_MAX))
    throw new ImportError(
      `${where} has the shape ${JSON.stringify(shape)}, must be at most ${DIMENSIONS_MAX} whole sizes of ${VALUES_MAX} values together. Export it again.`,
    );
  return count;
}

/** Little-endian numbers as float32; values beyond float32 become infinite and are refused by `createModel`. */
export function float32Of(bytes: Uint8Array, format: FloatFormat): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.byteLength / FLOAT_BYTES[format];
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 1) values[i] = READERS[format](view, i);
  return values;
}

const READERS = {
  float16: (view, i) => float16(view.getUint16(i * 2, true)),
  bfloat16: (view, i) => bfloat16(view.getUint16(i * 2, true)),
  float32: (view, i) => view.getFloat32(i * 4, true),
  float64: (view, i) => view.getFloat64(i * 8, true),
} as const satisfies Record<FloatFormat, (view: DataView, i: number) => number>;

/** IEEE 754 binary16 (Node 20 has no Float16Array): 1 sign bit, 5 of exponent, 10 of fraction. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The upper half of a float32: 1 sign bit, 8 of exponent, 7 of fraction. */
function bfloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 7) & 255;
  const fraction = bits & 127;
  if (exponent === 0) return sign * fraction * 2 ** -133;
  if (exponent === 255) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 128) * 2 ** (exponent - 127);
}
