/**
 * A record as it came, kept as texts beside its row: where a stream refuses late records, it is known only when the row would be stepped, and the dead
 * letter needs the original bytes.
 */
import { isUtf8 } from 'node:buffer';
import type { Chunk } from './chunk.ts';
import type { RawRecord, RecordHeaders } from './record.ts';

/** Columns of texts: key, value, headers, append time. */
export const ORIGINAL_COLUMNS = 4;

/** The texts of a record. `readOriginal` gives the same record again, to the byte. */
export function originalTexts(record: RawRecord): readonly [string, string, string, string] {
  return [bytesText(record.key), bytesText(record.value), headersText(record.headers), String(record.timestampMs)];
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
    headers: textHeaders(headers),
  };
}

/** '' for none, otherwise JSON: the texts of each name's values. */
function headersText(headers: RecordHeaders): string {
  const entries = Object.entries(headers);
  if (entries.length === 0) return '';
  return JSON.stringify(entries.map(([name, values]) => [name, values.map(bytesText)]));
}

function textHeaders(text: string): RecordHeaders {
  if (text === '') return {};
  const entries = JSON.parse(text) as readonly (readonly [string, readonly string[]])[];
  return Object.fromEntries(entries.map(([name, values]) => [name, values.map(textBytes)]));
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
