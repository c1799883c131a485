/** Keys of series by their bytes, so that a known one costs no new string. Direct-mapped: a key that falls on another's place takes it. */
import { KEY_BYTES_MAX } from './json-record.ts';

const PLACES = 1 << 16;

export class KeyTable {
  readonly #bytes = new Array<Uint8Array | undefined>(PLACES);
  readonly #keys = new Array<string>(PLACES);
  #newest: Uint8Array = new Uint8Array();

  /** The key in ASCII bytes [from, to); null where it is empty or longer than a key may be. */
  find(source: Uint8Array, from: number, to: number): string | null {
    const length = to - from;
    if (length === 0 || length > KEY_BYTES_MAX) return null;
    // FNV-1a, 32 bits.
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ source[at], 0x01000193);
    const place = (hash ^ (hash >>> 16)) & (PLACES - 1);
    const known = this.#bytes[place];
    if (known !== undefined && known.length === length && isEqual(known, source, from)) {
      this.#newest = known;
      return this.#keys[place];
    }
    this.#newest = source.slice(from, to);
    this.#bytes[place] = this.#newest;
    this.#keys[place] = Buffer.from(this.#newest.buffer, this.#newest.byteOffset, length).toString('latin1');
    return this.#keys[place];
  }

  /** Whether the bytes are those of the key found last. */
  isNewest(bytes: Uint8Array): boolean {
    return bytes.length === this.#newest.length && isEqual(this.#newest, bytes, 0);
  }
}

function isEqual(known: Uint8Array, source: Uint8Array, from: number): boolean {
  for (let i = 0; i < known.length; i += 1) if (known[i] !== source[from + i]) return false;
  return true;
}
