/**
 * The raw form: weights.json {dtype: 'float32', layout: 'torch ...', features?, hidden?, layers?, tensors: [{name, shape, offset, count}]} and
 * weights.bin beside it, little-endian float32; offset and count are in values. Names and layouts are PyTorch's.
 */
import { ImportError } from './import-error.ts';
import type { ImportedWeights } from './imported-weights.ts';
import { isObject } from './model-folder.ts';
import { float32Of, type SourceTensor, valueCount } from './source-tensor.ts';
import { importTorchTensors, type TorchOptions } from './torch-layout.ts';

const VALUE_BYTES = 4;

/** The model that `description` (weights.json) finds in `bytes` (weights.bin). Throws ImportError. */
export function importRawWeights(
  description: Readonly<Record<string, unknown>>,
  bytes: Buffer,
  options: TorchOptions,
): ImportedWeights {
  const { from } = options;
  const { dtype, layout = 'torch', tensors } = description;
  if (dtype !== 'float32')
    throw new ImportError(
      `${from}: dtype is ${JSON.stringify(dtype)}, must be "float32". Write the weights as float32.`,
    );
  if (typeof layout !== 'string' || !layout.startsWith('torch'))
    throw new ImportError(
      `${from}: layout is ${JSON.stringify(layout)}, must be "torch": gates i, f, g, o or r, z, n in rows, y = x W^T + b. Transpose the weights.`,
    );
  if (!Array.isArray(tensors))
    throw new ImportError(`${from}: it lists no tensors. Write {name, shape, offset, count}.`);
  assertNoMoreThan(bytes.length / VALUE_BYTES, tensors, from);
  const found = importTorchTensors(
    tensors.map((entry, i) => tensorOf(entry, `${from}: tensor ${i}`, bytes)),
    options,
  );
  for (const [field, value] of [
    ['features', found.spec.inputSize],
    ['hidden', found.spec.hiddenSize],
    ['layers', found.spec.layers],
  ] as const)
    if (description[field] !== undefined && description[field] !== value)
      throw new ImportError(
        `${from}: ${field} is ${JSON.stringify(description[field])}, its tensors have ${value}. Write the two files together again.`,
      );
  return found;
}

/** Tensors that overlap could ask for far more memory than the file has bytes. */
function assertNoMoreThan(valuesMax: number, tensors: readonly unknown[], from: string): void {
  const counts = tensors.map((entry, i) => valueCount(isObject(entry) ? entry.shape : entry, `${from}: tensor ${i}`));
  const values = counts.reduce((sum, count) => sum + count, 0);
  if (values > valuesMax)
    throw new ImportError(
      `${from}: its tensors have ${values} values, the weights have ${valuesMax}. Write the two files together again.`,
    );
}

function tensorOf(entry: unknown, where: string, bytes: Buffer): SourceTensor {
  if (!isObject(entry) || typeof entry.name !== 'string')
    throw new ImportError(`${where} has no name. Write {name, shape, offset, count}.`);
  const { name, shape, offset } = entry;
  const count = valueCount(shape, `${where} '${name}'`);
  const end = (Number(offset) + count) * VALUE_BYTES;
  if (!Number.isSafeInteger(offset) || Number(offset) < 0 || end > bytes.length || (entry.count ?? count) !== count)
    throw new ImportError(
      `${where} '${name}' lies at value ${JSON.stringify(offset)}, ${count} values long (count ${JSON.stringify(entry.count)}); the weights have ` +
        `${bytes.length / VALUE_BYTES} values. Write the two files together again.`,
    );
  const from = Number(offset) * VALUE_BYTES;
  return { name, shape: shape as number[], values: float32Of(bytes.subarray(from, end), 'float32') };
}
