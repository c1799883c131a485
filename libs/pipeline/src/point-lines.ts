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

/** Lines as one growing piece of memory. */
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
    this.#buffer[end] = LINE_FEED;
    this.#size = end + 1;
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

  #startOf(line: number): number {
    return line === 0 ? 0 : this.#ends[line - 1];
  }

  #grow(more: number): void {
    const buffer = Buffer.allocUnsafeSlow(Math.max(2 * this.#buffer.length, this.#size + more));
    this.#buffer.copy(buffer, 0, 0, this.#size);
    this.#buffer = buffer;
  }
}
