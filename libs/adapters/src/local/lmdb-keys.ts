/**
 * Binary keys of the LMDB store. A topic holds no NUL, so `<shard> NUL` is a prefix that no two shards share.
 * - log: `<shard> NUL <next u64 BE> <size u32 BE>`: in the order of offsets, and sizes can be summed without reading values.
 * - state: `<shard> NUL <key UTF-8>`; a key too long for LMDB is `<shard> NUL FF <SHA-256 of the key>` (FF occurs in no UTF-8)
 *   and its value starts with the key itself: `<length u32 LE> <key UTF-8> <state>`.
 */
import { createHash } from 'node:crypto';

const LONG = 0xff;
/** LMDB's bound is 1,978 bytes with pages of 4 KiB. */
const KEY_BYTES_MAX = 1_024;

/** First key of the shard and the first one after it. */
export function shardRange(shard: string): { readonly start: Buffer; readonly end: Buffer } {
  return { start: Buffer.from(`${shard}\0`), end: Buffer.from(`${shard}\u0001`) };
}

export function logKey(shard: string, next: number, sizeBytes: number): Buffer {
  const key = Buffer.alloc(Buffer.byteLength(shard) + 13);
  const at = key.write(shard) + 1;
  key.writeBigUInt64BE(BigInt(next), at);
  key.writeUInt32BE(sizeBytes, at + 8);
  return key;
}

export function readLogKey(key: Uint8Array): { readonly next: number; readonly sizeBytes: number } {
  const view = new DataView(key.buffer, key.byteOffset + key.byteLength - 12, 12);
  return { next: Number(view.getBigUint64(0)), sizeBytes: view.getUint32(8) };
}

/** LMDB key of a series' state, and what its value starts with (null: nothing). */
export function stateKey(shard: string, series: string): { readonly key: Buffer; readonly lead: Buffer | null } {
  const plain = Buffer.from(`${shard}\0${series}`);
  if (plain.length <= KEY_BYTES_MAX) return { key: plain, lead: null };
  const name = Buffer.from(series);
  const hash = createHash('sha256').update(name).digest();
  const length = Buffer.alloc(4);
  length.writeUInt32LE(name.length);
  const key = Buffer.concat([Buffer.from(`${shard}\0`), Buffer.from([LONG]), hash]);
  return { key, lead: Buffer.concat([length, name]) };
}

/** Series and state of an entry. */
export function readState(
  shard: string,
  key: Buffer,
  value: Buffer,
): { readonly key: string; readonly bytes: Uint8Array } {
  const at = Buffer.byteLength(shard) + 1;
  if (key[at] !== LONG) return { key: key.toString('utf8', at), bytes: value };
  const end = 4 + value.readUInt32LE(0);
  return { key: value.toString('utf8', 4, end), bytes: value.subarray(end) };
}
