/**
 * The weights file, `model.tdl`.
 *
 * Layout, little-endian: magic 'TIDELINE' (8 bytes), version u32, header length u32, header JSON {spec, tensors: [{name, shape, at}], card},
 * zero bytes up to a multiple of 64, float32 tensors, SHA-256 of everything before it (32 bytes).
 *
 * Version 1 is the plain stacked network. A spec with more (peephole, layerNorm, bidirectional, decoder, head) is written as version 2, so that a
 * program that knows version 1 alone refuses it instead of leaving the peepholes out; the layout is the same.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Model, ModelSpec, ModelWeights } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { assertSpec, familyOf, unknownField } from '../spec.ts';
import { createModel, elementCount, type TensorShape, tensorShapes, tensorsOf, weightsOf } from '../tensors.ts';

const MAGIC = 'TIDELINE';
const PLAIN_VERSION = 1;
const FAMILY_VERSION = 2;
const FIXED_BYTES = 16;
const DIGEST_BYTES = 32;
const ALIGNMENT = 64;

/** Free text about a model: data, licence, seeds, metrics. */
export type ModelCard = Readonly<Record<string, unknown>>;

interface Header {
  readonly spec: ModelSpec;
  readonly tensors: readonly TensorEntry[];
  readonly card: ModelCard;
}

/** `at`: bytes from the first tensor. */
interface TensorEntry extends TensorShape {
  readonly at: number;
}

/** Bytes of a model. Throws ModelError where spec and weights do not agree. */
export function encodeModel(spec: ModelSpec, weights: ModelWeights, card: ModelCard = {}): Uint8Array {
  createModel(spec, weights);
  const tensors = tensorsOf(weights);
  let at = 0;
  const entries = tensorShapes(spec).map((tensor) => {
    const entry = { ...tensor, at };
    at += elementCount(tensor.shape) * 4;
    return entry;
  });
  const header = Buffer.from(JSON.stringify({ spec, tensors: entries, card } satisfies Header), 'utf8');
  const start = Math.ceil((FIXED_BYTES + header.length) / ALIGNMENT) * ALIGNMENT;
  const bytes = Buffer.alloc(start + at + DIGEST_BYTES);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(versionOf(spec), 8);
  bytes.writeUInt32LE(header.length, 12);
  header.copy(bytes, FIXED_BYTES);
  tensors.forEach((tensor, i) => {
    tensor.forEach((value, j) => {
      bytes.writeFloatLE(value, start + entries[i].at + j * 4);
    });
  });
  createHash('sha256')
    .update(bytes.subarray(0, start + at))
    .digest()
    .copy(bytes, start + at);
  return bytes;
}

/** The model in `bytes`; `from` names them in messages. Throws ModelError where they are no whole, true weights file. */
export function decodeModel(
  bytes: Uint8Array,
  from = 'the weights',
): { readonly model: Model; readonly card: ModelCard } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < FIXED_BYTES + DIGEST_BYTES || file.toString('latin1', 0, 8) !== MAGIC)
    throw new ModelError(
      `${from} is not a Tideline weights file: it does not start with '${MAGIC}'. Point to a model.tdl.`,
    );
  const version = file.readUInt32LE(8);
  if (version !== PLAIN_VERSION && version !== FAMILY_VERSION)
    throw new ModelError(
      `${from} has format version ${version}, this program reads ${PLAIN_VERSION} and ${FAMILY_VERSION}. Use the program that wrote it, or export it again.`,
    );
  const end = file.length - DIGEST_BYTES;
  if (!createHash('sha256').update(file.subarray(0, end)).digest().equals(file.subarray(end)))
    throw new ModelError(
      `${from} is damaged or truncated: its checksum does not match its ${file.length} bytes. Copy it again.`,
    );
  const headerEnd = FIXED_BYTES + file.readUInt32LE(12);
  if (headerEnd > end) throw new ModelError(`${from} has a header longer than the file. Copy it again.`);
  const { spec, tensors, card } = readHeader(file.toString('utf8', FIXED_BYTES, headerEnd), from);
  if (version < versionOf(spec))
    throw new ModelError(
      `${from} has format version ${version}, its spec has '${Object.keys(familyOf(spec))[0]}', which came with version ${FAMILY_VERSION}. Export it again.`,
    );
  const start = Math.ceil(headerEnd / ALIGNMENT) * ALIGNMENT;
  const values = tensorShapes(spec).map(({ name, shape }) => {
    const entry = tensors.find((tensor) => tensor.name === name);
    if (entry?.shape.join() !== shape.join())
      throw new ModelError(
        `${from}: tensor ${name} has shape [${entry?.shape.join(', ') ?? 'none'}], its spec needs [${shape.join(', ')}]. Export it again.`,
      );
    const count = elementCount(shape);
    if (start + entry.at + count * 4 > end)
      throw new ModelError(`${from}: tensor ${name} reaches beyond the file. Export it again.`);
    return Float32Array.from({ length: count }, (_, i) => file.readFloatLE(start + entry.at + i * 4));
  });
  return { model: named(from, () => createModel(spec, weightsOf(spec, values))), card };
}

/** Reads a model from a file. Throws ModelError where it is missing, unreadable or damaged. */
export async function loadModel(path: string): Promise<{ readonly model: Model; readonly card: ModelCard }> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT')
      throw new ModelError(`The model at '${path}' cannot be read (${code}). Check what it is and who may read it.`, {
        cause,
      });
    throw new ModelError(
      `There is no model at '${path}'. Train one ('tideline train') or name its folder with TIDELINE_MODELS.`,
      { cause },
    );
  }
  return decodeModel(bytes, `'${path}'`);
}

/** Writes a model to a file, with its folder. The file is whole at every moment: the old one or the new one. */
export async function saveModel(
  path: string,
  model: Pick<Model, 'spec' | 'weights'>,
  card: ModelCard = {},
): Promise<void> {
  const bytes = encodeModel(model.spec, model.weights, card);
  await mkdir(dirname(path), { recursive: true });
  const written = `${path}.partial`;
  await writeFile(written, bytes);
  await rename(written, path);
}

function versionOf(spec: ModelSpec): number {
  return Object.keys(familyOf(spec)).length === 0 ? PLAIN_VERSION : FAMILY_VERSION;
}

function readHeader(text: string, from: string): Header {
  let header: Header;
  try {
    header = JSON.parse(text) as Header;
  } catch (cause) {
    throw new ModelError(`${from} has a header that is not JSON. Export it again.`, { cause });
  }
  if (!isObject(header) || !isObject(header.spec) || !Array.isArray(header.tensors) || !isObject(header.card))
    throw new ModelError(`${from} has a header without spec, tensors or card. Export it again.`);
  const { spec } = header;
  named(from, () => assertSpec(spec));
  const unknown = unknownField(spec);
  if (unknown !== null)
    throw new ModelError(
      `${from} says '${unknown}' in its spec, which this program does not know. Use the program that wrote it.`,
    );
  const bad = header.tensors.findIndex((tensor) => !isTensorEntry(tensor));
  if (bad !== -1)
    throw new ModelError(`${from}: entry ${bad} of its header's tensors is no {name, shape, at}. Export it again.`);
  return header;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTensorEntry(value: unknown): value is TensorEntry {
  if (!isObject(value)) return false;
  const { name, shape, at } = value as Partial<TensorEntry>;
  return typeof name === 'string' && Array.isArray(shape) && Number.isSafeInteger(at) && Number(at) >= 0;
}

/** Puts the file before what is wrong in it. */
function named<T>(from: string, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    throw new ModelError(`${from}: ${cause.message}`, { cause });
  }
}
