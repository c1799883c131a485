/**
 * Reads the usual form of a record without making an object, a string or a number of what nobody asks for: one flat JSON object in ASCII, whose
 * wanted values are plain numbers and one text. It gives up at anything else (an escape, a nested value, a name that comes twice, an exponent, more
 * digits than a double keeps) and says nothing of it: `JSON.parse` then decides. What it does take is what `JSON.parse` would give, to the bit; a test
 * holds the two together over hostile bytes.
 */
import { KeyTable } from './key-table.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Exact as doubles, so a division of a whole number below 2^53 rounds once: W. Clinger, "How to Read Floating Point Numbers Accurately", 1990. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const FRACTION_DIGITS_MAX = 22;
const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text));
/** What `numbers` does not hold. */
const NOT_WANTED = -1;
const THE_KEY = -2;

interface Wanted {
  readonly name: Buffer;
  readonly place: number;
}

export class FlatJsonReader {
  /** Value of each number field, in their order; NaN: absent. Of the last record that was read. */
  readonly numbers: Float64Array;
  /** The series' id. */
  key = '';
  readonly #wanted: readonly Wanted[];
  readonly #usable: boolean;
  readonly #keys = new KeyTable();
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #isKeyFound = false;

  /** `keyField`: a text; `numberFields`: numbers, each name once. */
  constructor(keyField: string, numberFields: readonly string[]) {
    this.numbers = new Float64Array(numberFields.length);
    const names = [keyField, ...numberFields];
    this.#wanted = names.map((name, i) => ({ name: Buffer.from(name), place: i === 0 ? THE_KEY : i - 1 }));
    // A parsed object answers to the names of Object.prototype, too, and a name that is wanted twice has two places.
    this.#usable = new Set(names).size === names.length && names.every((name) => !(name in {}));
  }

  /** Whether `numbers` and `key` are those of the record with this value, whose own key (null or empty: none) is the same. */
  read(value: Uint8Array | null, recordKey: Uint8Array | null): boolean {
    if (!this.#usable || value === null) return false;
    this.#bytes = value;
    this.#at = 0;
    this.#isKeyFound = false;
    this.numbers.fill(Number.NaN);
    if (!this.#object() || !this.#isKeyFound) return false;
    return recordKey === null || recordKey.length === 0 || this.#keys.isNewest(recordKey);
  }

  #object(): boolean {
    if (this.#next() !== OPEN) return false;
    this.#at += 1;
    for (;;) {
      if (this.#next() !== QUOTE) return false;
      const place = this.#name();
      if (place === null || this.#next() !== COLON) return false;
      this.#at += 1;
      if (!this.#value(place)) return false;
      const after = this.#next();
      this.#at += 1;
      if (after === COMMA) continue;
      return after === CLOSE && this.#next() === -1;
    }
  }

  /** The next byte that is no white space, which is stayed at; -1: the end. */
  #next(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    while (at < bytes.length && (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09))
      at += 1;
    this.#at = at;
    return at < bytes.length ? bytes[at] : -1;
  }

  /** Goes behind a plain text's closing quotation mark. Where its content ends; -1: it is not plain. */
  #text(): number {
    const bytes = this.#bytes;
    for (let at = this.#at + 1; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.#at = at + 1;
        return at;
      }
      if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return -1;
    }
    return -1;
  }

  /** Place of the field whose name stands here; null: give up. */
  #name(): number | null {
    const from = this.#at + 1;
    const to = this.#text();
    if (to === -1) return null;
    for (const { name, place } of this.#wanted) {
      if (name.length !== to - from || !this.#is(name, from)) continue;
      // The second of two counts in JSON.parse.
      const isTaken = place === THE_KEY ? this.#isKeyFound : !Number.isNaN(this.numbers[place]);
      return isTaken ? null : place;
    }
    return NOT_WANTED;
  }

  #is(text: Uint8Array, from: number): boolean {
    for (let i = 0; i < text.length; i += 1) if (this.#bytes[from + i] !== text[i]) return false;
    return true;
  }

  #value(place: number): boolean {
    const first = this.#next();
    if (place === THE_KEY) return first === QUOTE && this.#series();
    if (first === MINUS || (first >= ZERO && first <= NINE)) return this.#number(place);
    if (place !== NOT_WANTED) return false;
    if (first === QUOTE) return this.#text() !== -1;
    const literal = LITERALS.find((one) => this.#is(one, this.#at));
    if (literal === undefined) return false;
    this.#at += literal.length;
    return true;
  }

  #series(): boolean {
    const from = this.#at + 1;
    const to = this.#text();
    if (to === -1) return false;
    const key = this.#keys.find(this.#bytes, from, to);
    if (key === null) return false;
    this.key = key;
    this.#isKeyFound = true;
    return true;
  }

  #number(place: number): boolean {
    const bytes = this.#bytes;
    const isNegative = bytes[this.#at] === MINUS;
    const first = isNegative ? this.#at + 1 : this.#at;
    let at = first;
    let whole = 0;
    for (; at < bytes.length && bytes[at] >= ZERO && bytes[at] <= NINE; at += 1) whole = whole * 10 + bytes[at] - ZERO;
    if (at === first || (bytes[first] === ZERO && at > first + 1)) return false;
    let digits = 0;
    if (at < bytes.length && bytes[at] === DOT) {
      const point = at;
      for (at += 1; at < bytes.length && bytes[at] >= ZERO && bytes[at] <= NINE; at += 1)
        whole = whole * 10 + bytes[at] - ZERO;
      digits = at - point - 1;
      if (digits === 0) return false;
    }
    // An exponent, or no number at all.
    if (at < bytes.length && (bytes[at] | 0x20) === 0x65) return false;
    if (whole > Number.MAX_SAFE_INTEGER || digits > FRACTION_DIGITS_MAX) return false;
    this.#at = at;
    if (place !== NOT_WANTED) {
      const value = whole / POWERS_OF_TEN[digits];
      this.numbers[place] = isNegative ? -value : value;
    }
    return true;
  }
}
