import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Trained vectors of words. */
export interface WordVectors {
  /** The languages whose words it holds, ISO 639-1. */
  readonly languages: readonly string[];
  /** Values a word. */
  readonly size: number;
  /** SHA-256 of the file, hex: a model is trained for these vectors and no others. */
  readonly digest: string;
  /** In the order of the rows; those that ship: the more frequent first. */
  readonly words: readonly string[];
  /** Number of a token's row; -1 where it is unknown. */
  rowOf(token: string): number;
  /** [words][size] */
  readonly values: Float32Array;
}

/**
 * The English vectors that ship, made by scripts/build-word-vectors.mjs from GloVe 6B (J. Pennington et al., "GloVe: Global Vectors for Word
 * Representation", EMNLP 2014; PDDL 1.0): 17,300 frequent words and some of call centres, 100 values of 8 bits each.
 */
const ENGLISH_FILE = new URL('../../assets/words-en.bin', import.meta.url);

export function englishWordVectors(): WordVectors {
  return decodeWordVectors(readFileSync(ENGLISH_FILE), ['en']);
}

const MAGIC = 'TIDEWORD';
const VERSION = 1;
const HEAD_BYTES = 24;

/**
 * Layout, little-endian: magic 'TIDEWORD' (8 bytes), u32 version, words, size, bytes of the list; float32 scale of each word; int8 [words][size];
 * the words, UTF-8, one a line. A value is its byte times its word's scale. Throws where the bytes are no such file.
 */
export function decodeWordVectors(bytes: Uint8Array, languages: readonly string[]): WordVectors {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, count, size, listBytes] = [8, 12, 16, 20].map((at) =>
    file.length < HEAD_BYTES ? 0 : file.readUInt32LE(at),
  );
  const valuesAt = HEAD_BYTES + count * 4;
  const listAt = valuesAt + count * size;
  if (file.toString('latin1', 0, 8) !== MAGIC || version !== VERSION || file.length !== listAt + listBytes)
    throw new Error(
      'The file of word vectors is damaged: install Tideline again, or run scripts/build-word-vectors.mjs.',
    );
  const words = file.toString('utf8', listAt).split('\n');
  const rows = new Map(words.map((word, row) => [word, row]));
  const values = new Float32Array(count * size);
  const stored = new Int8Array(bytes.buffer, bytes.byteOffset + valuesAt, values.length);
  for (let row = 0; row < count; row += 1) {
    const scale = file.readFloatLE(HEAD_BYTES + row * 4);
    for (let i = row * size; i < (row + 1) * size; i += 1) values[i] = stored[i] * scale;
  }
  const digest = createHash('sha256').update(file).digest('hex');
  return { languages, size, digest, words, rowOf: (token) => rows.get(token) ?? -1, values };
}
