import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { CellKind, Model } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { createModel } from '../tensors.ts';
import { ImportError } from './import-error.ts';
import type { ImportedWeights } from './imported-weights.ts';
import { importKeras } from './keras/import-keras.ts';
import { JSON_BYTES_MAX, ModelFolder, parseJsonObject, WEIGHTS_BYTES_MAX } from './model-folder.ts';
import { importOnnx } from './onnx/import-onnx.ts';
import { importRawWeights } from './raw-weights.ts';
import { isSafetensors, readSafetensors } from './safetensors.ts';
import { importTorchTensors } from './torch-layout.ts';

export const IMPORT_FORMATS = ['onnx', 'safetensors', 'keras', 'raw'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

export interface ImportOptions {
  /** The model's name; the file's own name without it. */
  readonly name?: string;
  /** What the weights are; an import that finds another cell is refused. */
  readonly cell?: CellKind;
}

export interface ImportedModel {
  readonly model: Model;
  readonly format: ImportFormat;
  /** The files that were read: name beside the model, bytes, SHA-256 in hex. */
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  /** Whole sentences: how what the file leaves open was understood. */
  readonly notes: readonly string[];
}

/** Files that a folder is searched for, in this order. */
const KNOWN_FILES = ['model.json', 'weights.json', 'model.onnx', 'model.safetensors'] as const;

/**
 * Weights of another program as a model: ONNX, PyTorch state dicts as safetensors, TensorFlow.js layers models, the raw form. `path` is the
 * file (or its folder); files that it names are read from its folder only, and nothing in a file is run. Throws ImportError (a ModelError)
 * that names what cannot be taken over and the cure.
 */
export async function importModel(path: string, options: ImportOptions = {}): Promise<ImportedModel> {
  try {
    const file = await fileOf(path);
    const folder = new ModelFolder(file);
    const found = await readFormat(file, folder, options);
    const { spec, weights, notes, format } = found;
    if (options.cell && options.cell !== spec.cell)
      throw new ImportError(
        `'${file}' holds a ${spec.cell}, not a ${options.cell}. Give --cell ${spec.cell} or leave it out.`,
      );
    const name = options.name ?? nameOf(file);
    const model = createModel({ name, ...spec }, weights);
    const files = folder.files.map(({ path: beside, bytes }) => ({
      path: beside,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }));
    return { model, format, files, notes };
  } catch (cause) {
    throw asImportError(cause, path);
  }
}

/** A RangeError is how the language refuses what is too large or too deep; that too is the file's fault. */
function asImportError(cause: unknown, path: string): unknown {
  if (cause instanceof RangeError)
    return new ImportError(`'${path}' is damaged, or larger than can be read (${cause.message}). Export it again.`, {
      cause,
    });
  if (cause instanceof ModelError && !(cause instanceof ImportError))
    return new ImportError(`'${path}': ${cause.message}`, { cause });
  return cause;
}

async function fileOf(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isDirectory()) return path;
    const names = await readdir(path);
    const name =
      KNOWN_FILES.find((known) => names.includes(known)) ??
      only(names.filter((one) => /\.(onnx|safetensors)$/.test(one)));
    if (name) return join(path, name);
    throw new ImportError(
      `The folder '${path}' has none of ${KNOWN_FILES.join(', ')}, nor one .onnx or .safetensors file. Name the file.`,
    );
  } catch (cause) {
    if (cause instanceof ImportError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new ImportError(`There is no model at '${path}' (${code}). Check the path.`, { cause });
  }
}

function only(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}

/** `ticks.safetensors` is ticks; a file with a name that says nothing is named after its folder. */
function nameOf(file: string): string {
  const own = basename(file, extname(file));
  const isPlain = ['model', 'weights', 'step', 'state_dict', 'pytorch_model'].includes(own);
  const name = isPlain ? basename(join(file, '..')) : own;
  return (
    name
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[._-]+/, '')
      .slice(0, 64) || 'imported'
  );
}

async function readFormat(
  file: string,
  folder: ModelFolder,
  options: ImportOptions,
): Promise<ImportedWeights & { readonly format: ImportFormat }> {
  const from = `'${file}'`;
  const read = (path: string): Promise<Buffer> => folder.read(path, { namedBy: from, bytesMax: WEIGHTS_BYTES_MAX });
  const torch = { from, ...(options.cell && { cell: options.cell }) };
  // The raw form is described beside its weights.
  const isRawBin = extname(file) === '.bin';
  const name = isRawBin ? `${basename(file, '.bin')}.json` : basename(file);
  const bytes = await read(name);
  refuseKnown(bytes, file);
  if (isSafetensors(bytes) || extname(name) === '.safetensors')
    return { format: 'safetensors', ...importTorchTensors(readSafetensors(bytes, from), torch) };
  if (!/^\s*\{/.test(bytes.toString('latin1', 0, 64)))
    return { format: 'onnx', ...(await importOnnx(bytes, { from, read })) };
  if (bytes.length > JSON_BYTES_MAX)
    throw new ImportError(
      `${from} has ${bytes.length} bytes of JSON, at most ${JSON_BYTES_MAX} are read. Check the file.`,
    );
  const description = parseJsonObject(bytes, from);
  if ('modelTopology' in description || 'weightsManifest' in description)
    return { format: 'keras', ...(await importKeras(description, { from, read })) };
  if (!('tensors' in description))
    throw new ImportError(
      `${from} is JSON, but neither a TensorFlow.js model.json (modelTopology, weightsManifest) nor a weights.json (dtype, tensors). Name the model's file.`,
    );
  const weights = typeof description.file === 'string' ? description.file : `${basename(name, '.json')}.bin`;
  return { format: 'raw', ...importRawWeights(description, await read(weights), torch) };
}

const TORCH_CURE = 'In Python: safetensors.torch.save_file(model.state_dict(), "model.safetensors")';
const KERAS_CURE =
  'Convert it: tensorflowjs_converter --input_format keras model.h5 FOLDER, then import FOLDER/model.json';

/** Formats that are known by their first bytes and refused: they hold code, or need a library of many megabytes. */
const REFUSED: readonly { readonly starts: Buffer; readonly what: string; readonly cure: string }[] = [
  { starts: Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), what: 'an HDF5 file (Keras .h5)', cure: KERAS_CURE },
  { starts: Buffer.from('\x80', 'latin1'), what: 'a Python pickle, which can run code', cure: TORCH_CURE },
  {
    starts: Buffer.from('TIDELINE', 'latin1'),
    what: 'a Tideline model already',
    cure: 'Copy it into the folder of models',
  },
  { starts: Buffer.from([0x1f, 0x8b]), what: 'a gzip archive', cure: 'Unpack it first' },
];

function refuseKnown(bytes: Buffer, file: string): void {
  const isZip = bytes.toString('latin1', 0, 4) === 'PK\x03\x04';
  const refused = isZip
    ? file.endsWith('.keras')
      ? { what: 'a .keras archive', cure: KERAS_CURE.replace('keras model.h5', 'keras model.keras') }
      : { what: 'a ZIP archive (a PyTorch .pt file is one, with a pickle that can run code)', cure: TORCH_CURE }
    : REFUSED.find(({ starts }) => bytes.subarray(0, starts.length).equals(starts));
  if (bytes.length === 0) throw new ImportError(`'${file}' is empty. Export it again.`);
  if (refused) throw new ImportError(`'${file}' is ${refused.what}. ${refused.cure}.`);
}
