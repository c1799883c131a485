import { ImportError } from '../import-error.ts';
import { isObject, WEIGHTS_BYTES_MAX } from '../model-folder.ts';
import { FLOAT_BYTES, float32Of, type SourceTensor, valueCount } from '../source-tensor.ts';

/** Reads a file that the manifest names. */
export type ReadShard = (path: string) => Promise<Buffer>;

const GROUPS_MAX = 1_000;
const SHARDS_MAX = 10_000;

/** All weights of a TensorFlow.js weights manifest [{paths, weights: [{name, shape, dtype, quantization?}]}]. Throws ImportError. */
export async function readWeightsManifest(manifest: unknown, from: string, read: ReadShard): Promise<SourceTensor[]> {
  if (!Array.isArray(manifest) || manifest.length > GROUPS_MAX || !manifest.every(isObject))
    throw new ImportError(`${from} has no weightsManifest. Convert the model with tensorflowjs_converter again.`);
  const tensors: SourceTensor[] = [];
  // A shard that many groups name would be copied as often.
  let bytesLeft = WEIGHTS_BYTES_MAX;
  for (const { paths, weights } of manifest) {
    if (!Array.isArray(paths) || paths.length > SHARDS_MAX || !paths.every((path) => typeof path === 'string'))
      throw new ImportError(
        `${from}: a group of its weightsManifest has the paths ${JSON.stringify(paths)?.slice(0, 80)}. Convert it again.`,
      );
    if (!Array.isArray(weights))
      throw new ImportError(`${from}: a group of its weightsManifest lists no weights. Convert it again.`);
    const shards: Buffer[] = [];
    for (const path of new Set<string>(paths)) shards.push(await read(path));
    bytesLeft -= shards.reduce((sum, shard) => sum + shard.length, 0);
    if (bytesLeft < 0)
      throw new ImportError(
        `${from}: its weightsManifest names more than ${WEIGHTS_BYTES_MAX} bytes. Convert it again.`,
      );
    tensors.push(...readGroup(weights, Buffer.concat(shards), from));
  }
  return tensors;
}

function readGroup(weights: readonly unknown[], bytes: Buffer, from: string): SourceTensor[] {
  let at = 0;
  const tensors = weights.map((entry, i) => {
    if (!isObject(entry) || typeof entry.name !== 'string')
      throw new ImportError(`${from}: weight ${i} has no name. Convert it again.`);
    const where = `${from}: weight '${entry.name}'`;
    const count = valueCount(entry.shape, where);
    const { bytesEach, decode } = decoderOf(entry, where);
    const end = at + count * bytesEach;
    if (end > bytes.length)
      throw new ImportError(`${where} ends at byte ${end}, its shards have ${bytes.length}. Copy all shards again.`);
    const values = decode(bytes.subarray(at, end));
    at = end;
    return { name: entry.name, shape: entry.shape as number[], values };
  });
  if (at !== bytes.length)
    throw new ImportError(
      `${from}: its weights take ${at} bytes, their shards have ${bytes.length}. Copy all files of the model again.`,
    );
  return tensors;
}

/** float32, or quantized to float16, uint8 or uint16 (value * scale + min) as tensorflowjs_converter writes it. */
function decoderOf(
  entry: Readonly<Record<string, unknown>>,
  where: string,
): { readonly bytesEach: number; readonly decode: (bytes: Buffer) => Float32Array } {
  const { dtype, quantization } = entry;
  if (dtype !== 'float32')
    throw new ImportError(`${where} has the dtype ${JSON.stringify(dtype)}, must be float32. Remove what needs it.`);
  if (quantization === undefined) return { bytesEach: 4, decode: (bytes) => float32Of(bytes, 'float32') };
  const { dtype: stored, scale, min } = isObject(quantization) ? quantization : {};
  if (stored === 'float16') return { bytesEach: FLOAT_BYTES.float16, decode: (bytes) => float32Of(bytes, 'float16') };
  if ((stored !== 'uint8' && stored !== 'uint16') || typeof scale !== 'number' || typeof min !== 'number')
    throw new ImportError(
      `${where} is quantized as ${JSON.stringify(quantization)}; float16, and uint8 or uint16 with scale and min, are known. Convert it without quantization.`,
    );
  const bytesEach = stored === 'uint8' ? 1 : 2;
  return {
    bytesEach,
    decode: (bytes) =>
      Float32Array.from(
        { length: bytes.length / bytesEach },
        (_, i) => bytes.readUIntLE(i * bytesEach, bytesEach) * scale + min,
      ),
  };
}
