/**
 * A record as it came, kept as texts beside its row: where a stream refuses late records, it is known only when the row would be stepped, and the dead
 * letter needs the original bytes.
 */
import { isUtf8 } from 'node:buffer';
import type { Chunk } from './chunk.ts';
import type { RawRecord } from './record.ts';

/** Columns of texts: key, value, headers, append time. */
export const ORIGINAL_COLUMNS = 4;

/** The texts of a record. `readOriginal` gives the same record again, to the byte. */
export function originalTexts(record: RawRecord): readonly [string, string, string, string] {
  const headers = Object.keys(record.headers).length === 0 ? '' : JSON.stringify(record.headers);
  return [bytesText(record.key), bytesText(record.value), headers, String(record.timestampMs)];
}

/** The record of a row; null where the chunk was made without originals. */
export function readOriginal(chunk: Chunk, row: number): RawRecord | null {
  if (chunk.originals.length === 0) return null;
  const [key, value, headers, timestampMs] = chunk.originals.map((column) => column[row]);
  return {
    offset: chunk.offsets[row],
    key: textBytes(key),
    value: textBytes(value),
    timestampMs: Number(timestampMs),
    headers: headers === '' ? {} : (JSON.parse(headers) as Record<string, string>),
  };
}

/** '' for none, `u` and the text where the bytes are UTF-8 (nearly always), otherwise `b` and base64. */
function bytesText(bytes: Uint8Array | null): string {
  if (bytes === null) return '';
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(bytes) ? `u${buffer.toString('utf8')}` : `b${buffer.toString('base64')}`;
}

function textBytes(text: string): Uint8Array | null {
  if (text === '') return null;
  return Buffer.from(text.slice(1), text.startsWith('u') ? 'utf8' : 'base64');
}
