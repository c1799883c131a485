/**
 * Keys of series by their bytes, so that a known one costs no new string. Direct-mapped: a key that falls on another's place takes it. The table grows while
 * many do, so that a hundred thousand series find theirs, and stays small for a few.
 */
import { KEY_BYTES_MAX } from './json-record.ts';

const PLACES_FIRST = 1 << 12;
const PLACES_MAX = 1 << 20;

export class KeyTable {
  #keys = new Array<string>(PLACES_FIRST).fill('');
  /** Keys that took another's place since the table grew last. */
  #displaced = 0;
  #newest = '';

  /** The key in ASCII bytes [from, to); null where it is empty or longer than a key may be. */
  find(source: Uint8Array, from: number, to: number): string | null {
    const length = to - from;
    if (length === 0 || length > KEY_BYTES_MAX) return null;
    // FNV-1a, 32 bits.
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ source[at], 0x01000193);
    hash ^= hash >>> 16;
    const known = this.#keys[hash & (this.#keys.length - 1)];
    if (known.length === length && isEqual(known, source, from)) {
      this.#newest = known;
      return known;
    }
    this.#newest = Buffer.from(source.buffer, source.byteOffset + from, length).toString('latin1');
    if (known !== '') this.#makeRoom();
    this.#keys[hash & (this.#keys.length - 1)] = this.#newest;
    return this.#newest;
  }

  /** Whether the bytes are those of the key found last. */
  isNewest(bytes: Uint8Array): boolean {
    return bytes.length === this.#newest.length && isEqual(this.#newest, bytes, 0);
  }

  /** Four times the places, empty, once half of the keys have taken another's. */
  #makeRoom(): void {
    this.#displaced += 1;
    const places = this.#keys.length;
    if (this.#displaced < places / 2 || places === PLACES_MAX) return;
    this.#keys = new Array<string>(places * 4).fill('');
    this.#displaced = 0;
  }
}

/** Of ASCII, whose codes are its bytes. */
function isEqual(known: string, source: Uint8Array, from: number): boolean {
  for (let i = 0; i < known.length; i += 1) if (known.charCodeAt(i) !== source[from + i]) return false;
  return true;
}
