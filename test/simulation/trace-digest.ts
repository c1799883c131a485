/** A running digest over everything that happened (FNV-1a with two offsets, 64 bits), and on demand the newest lines to read. */
export class TraceDigest {
  #low = 0x811c9dc5;
  #high = 0x9747b28c;
  readonly #linesMax: number;
  readonly #lines: string[] = [];

  /** `linesMax` 0: only the digest. */
  constructor(linesMax = 0) {
    this.#linesMax = linesMax;
  }

  add(atMs: number, text: string): void {
    const micros = Math.round(atMs * 1_000);
    this.#mix(micros & 0xffff);
    this.#mix((micros / 65_536) | 0);
    for (let i = 0; i < text.length; i += 1) this.#mix(text.charCodeAt(i));
    if (this.#linesMax === 0) return;
    this.#lines.push(`${atMs.toFixed(3).padStart(12)} ${text}`);
    if (this.#lines.length > 2 * this.#linesMax) this.#lines.splice(0, this.#linesMax);
  }

  get hex(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }

  /** The newest lines, oldest first. */
  lines(): readonly string[] {
    return this.#lines.slice(-this.#linesMax);
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ (value + 0x9e37), 0x01000193);
    this.#high ^= this.#low >>> 15;
  }
}
