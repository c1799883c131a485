/**
 * A training run after an epoch: all that the next epoch depends on, so that a run that goes on from it ends with the bits of one that never
 * stopped.
 *
 * Layout of a checkpoint file, little-endian: magic 'TIDETRAN' (8 bytes), version u32, header length u32, header JSON, zero bytes up to a
 * multiple of 8, float64 arrays `parameters`, `kept`, `mean`, `square` (and `average`), SHA-256 of everything before it (32 bytes).
 */
import { createHash } from 'node:crypto';
import { ModelError } from '../model-error.ts';

/** Progress after an epoch. */
export interface EpochReport {
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly validationLoss: number;
  readonly best: boolean;
}

export interface TrainingCheckpoint {
  /** SHA-256 of the settings and of the data, hex. Only a run with the same ones may go on from here. */
  readonly fingerprint: string;
  /** Epochs that are done: one report each. */
  readonly history: readonly EpochReport[];
  /** Of the best epoch, 0 where there was none yet. */
  readonly bestEpoch: number;
  /** States of the random streams. */
  readonly orderState: number;
  readonly dropoutState: number;
  readonly adamSteps: number;
  /** [P] each: weights, those of the best epoch, Adam's first and second moments. */
  readonly parameters: Float64Array;
  readonly kept: Float64Array;
  readonly mean: Float64Array;
  readonly square: Float64Array;
  /** The average of the weights, where the run averages. */
  readonly average?: Float64Array;
}

const MAGIC = 'TIDETRAN';
const VERSION = 1;
const FIXED_BYTES = 16;
const DIGEST_BYTES = 32;
const ARRAYS = ['parameters', 'kept', 'mean', 'square'] as const;

type Header = Omit<TrainingCheckpoint, (typeof ARRAYS)[number] | 'average'> & {
  readonly size: number;
  /** Whether `average` stands behind `square`. */
  readonly averaged?: true;
};

export function encodeCheckpoint(checkpoint: TrainingCheckpoint): Uint8Array {
  const { parameters, kept, mean, square, average, ...rest } = checkpoint;
  const arrays = [parameters, kept, mean, square, ...(average ? [average] : [])];
  const fields = { ...rest, size: parameters.length, ...(average ? { averaged: true as const } : {}) } satisfies Header;
  const header = Buffer.from(JSON.stringify(fields), 'utf8');
  const start = Math.ceil((FIXED_BYTES + header.length) / 8) * 8;
  const end = start + arrays.length * parameters.length * 8;
  const bytes = Buffer.alloc(end + DIGEST_BYTES);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(header.length, 12);
  header.copy(bytes, FIXED_BYTES);
  arrays.forEach((values, a) => {
    values.forEach((value, i) => {
      bytes.writeDoubleLE(value, start + (a * values.length + i) * 8);
    });
  });
  createHash('sha256').update(bytes.subarray(0, end)).digest().copy(bytes, end);
  return bytes;
}

/** The checkpoint in `bytes`; `from` names them in messages. Throws ModelError where they are no whole, true checkpoint. */
export function decodeCheckpoint(bytes: Uint8Array, from = 'the checkpoint'): TrainingCheckpoint {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < FIXED_BYTES + DIGEST_BYTES || file.toString('latin1', 0, 8) !== MAGIC)
    throw new ModelError(
      `${from} is no checkpoint of a training run: it does not start with '${MAGIC}'. Point to the file that --checkpoint wrote.`,
    );
  const version = file.readUInt32LE(8);
  if (version !== VERSION)
    throw new ModelError(
      `${from} has format version ${version}, this program reads ${VERSION}. Use the program that wrote it.`,
    );
  const end = file.length - DIGEST_BYTES;
  if (!createHash('sha256').update(file.subarray(0, end)).digest().equals(file.subarray(end)))
    throw new ModelError(
      `${from} is damaged or truncated: its checksum does not match its ${file.length} bytes. Delete it and train from the start.`,
    );
  const headerEnd = FIXED_BYTES + file.readUInt32LE(12);
  const { size, averaged, ...rest } = JSON.parse(file.toString('utf8', FIXED_BYTES, headerEnd)) as Header;
  const start = Math.ceil(headerEnd / 8) * 8;
  const [parameters, kept, mean, square, average] = [...ARRAYS, ...(averaged ? ['average'] : [])].map((_, a) =>
    Float64Array.from({ length: size }, (__, i) => file.readDoubleLE(start + (a * size + i) * 8)),
  );
  return { ...rest, parameters, kept, mean, square, ...(averaged ? { average } : {}) };
}
