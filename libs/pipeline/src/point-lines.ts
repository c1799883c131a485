import { timeDigits } from './line-protocol.ts';

/**
 * Points in line protocol, one a line. An array of strings would say the same; but strings that wait for a sink outlive the garbage collector's young
 * generation, and cost more there than in the making.
 */
export interface Lines extends Iterable<string> {
  readonly length: number;
  /** Lines [from, to) in UTF-8, each ended by a line feed. A view: it holds until the lines are gone. */
  bytes(from?: number, to?: number): Uint8Array;
  /** Lines [from, to) as text. */
  texts(from?: number, to?: number): string[];
}

const BYTES_A_LINE = 160;
const LINE_FEED = 10;
const [ZERO, POINT, MINUS] = [48, 46, 45];
/** Places behind the point that a float32 is written with, and what 1 is there. */
const PLACES = 9;
const PLACES_ONE = 1e9;
/** From here on so many places give the float32 back: half the distance to its neighbours is above half a unit of the last place. */
const PLACES_FROM = 2 ** -5;
const PLACES_BELOW = 1e9;
/** Bytes of the longest number or time that is written in place. */
const NUMBER_BYTES_MAX = 32;
const NS_DIGITS = 6;

/**
 * Lines as one growing piece of memory. A line is pushed whole, or written piece by piece (`text`, `float32`, `time`) and then ended: on a hot path the
 * making of strings from numbers costs more than the rest of a point.
 */
export class PointLines implements Lines {
  #buffer: Buffer;
  /** Where each line ends, behind its line feed. */
  #ends: Uint32Array;
  #count = 0;
  #size = 0;

  /** `lines`: as many as are expected. */
  constructor(lines = 16) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(1, lines) * BYTES_A_LINE);
    this.#ends = new Uint32Array(Math.max(1, lines));
  }

  static of(lines: Iterable<string>): PointLines {
    const made = new PointLines();
    for (const line of lines) made.push(line);
    return made;
  }

  get length(): number {
    return this.#count;
  }

  push(line: string): void {
    // A UTF-16 unit is three bytes of UTF-8 at most.
    if (this.#size + 3 * line.length + 1 > this.#buffer.length) this.#grow(3 * line.length + 1);
    const end = this.#size + this.#buffer.write(line, this.#size);
    this.#size = end;
    this.end();
  }

  /** Adds to the line under construction. */
  text(text: string): void {
    if (this.#size + 3 * text.length + 1 > this.#buffer.length) this.#grow(3 * text.length + 1);
    const buffer = this.#buffer;
    let size = this.#size;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        size += buffer.write(text.slice(i), size);
        break;
      }
      buffer[size] = code;
      size += 1;
    }
    this.#size = size;
  }

  /** Adds a text of at most nine places that gives the float32 `x` back, or JavaScript's own where x is small or large. */
  float32(x: number): void {
    const magnitude = Math.abs(x);
    if (!(magnitude >= PLACES_FROM && magnitude < PLACES_BELOW)) {
      this.text(String(x));
      return;
    }
    if (this.#size + NUMBER_BYTES_MAX > this.#buffer.length) this.#grow(NUMBER_BYTES_MAX);
    const whole = Math.floor(magnitude);
    const fraction = Math.round((magnitude - whole) * PLACES_ONE);
    const isCarried = fraction === PLACES_ONE;
    if (x < 0) this.#buffer[this.#size++] = MINUS;
    this.#integer(isCarried ? whole + 1 : whole);
    if (isCarried || fraction === 0) return;
    this.#buffer[this.#size++] = POINT;
    this.#digits(fraction, PLACES);
    while (this.#buffer[this.#size - 1] === ZERO) this.#size -= 1;
  }

  /** Adds the digits of an epoch time in ns: `ms` milliseconds and `ns` nanoseconds (0 <= ns < 1e6; ms is an integer, negative before 1970). */
  time(ms: number, ns: number): void {
    if (!(ms > 0)) {
      this.text(timeDigits(ms, ns));
      return;
    }
    if (this.#size + NUMBER_BYTES_MAX > this.#buffer.length) this.#grow(NUMBER_BYTES_MAX);
    this.#integer(ms);
    this.#digits(ns, NS_DIGITS);
  }

  /** Ends the line under construction. */
  end(): void {
    if (this.#size === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#size] = LINE_FEED;
    this.#size += 1;
    if (this.#count === this.#ends.length) {
      const ends = new Uint32Array(2 * this.#count);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#ends[this.#count] = this.#size;
    this.#count += 1;
  }

  bytes(from = 0, to = this.#count): Uint8Array {
    return this.#buffer.subarray(this.#startOf(from), this.#startOf(Math.max(from, to)));
  }

  texts(from = 0, to = this.#count): string[] {
    return Array.from({ length: Math.max(0, to - from) }, (_, i) =>
      this.#buffer.toString('utf8', this.#startOf(from + i), this.#ends[from + i] - 1),
    );
  }

  *[Symbol.iterator](): Iterator<string> {
    for (let i = 0; i < this.#count; i += 1) yield this.#buffer.toString('utf8', this.#startOf(i), this.#ends[i] - 1);
  }

  /** A whole number, 0 or more, below 2^53. */
  #integer(value: number): void {
    let places = 1;
    for (let power = 10; power <= value; power *= 10) places += 1;
    // Above nine digits the arithmetic of small integers ends: the upper digits go first.
    if (places <= 9) this.#digits(value, places);
    else {
      const upper = Math.floor(value / PLACES_ONE);
      this.#integer(upper);
      this.#digits(value - upper * PLACES_ONE, 9);
    }
  }

  /** So many digits of a whole number below 1e9. */
  #digits(value: number, places: number): void {
    const buffer = this.#buffer;
    let rest = value | 0;
    for (let at = this.#size + places - 1; at >= this.#size; at -= 1) {
      const upper = (rest / 10) | 0;
      buffer[at] = ZERO + rest - 10 * upper;
      rest = upper;
    }
    this.#size += places;
  }

  #startOf(line: number): number {
    return line === 0 ? 0 : this.#ends[line - 1];
  }

  #grow(more: number): void {
    const buffer = Buffer.allocUnsafeSlow(Math.max(2 * this.#buffer.length, this.#size + more));
    this.#buffer.copy(buffer, 0, 0, this.#size);
    this.#buffer = buffer;
  }
}
