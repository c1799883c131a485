/** Fresh pieces of this size come from the operating system page by page, which costs more than filling them; smaller ones are the allocator's business. */
const POOLED_BYTES_MIN = 65_536;
/** Free memory that is kept. */
const FREE_BYTES_MAX = 64 * 1024 * 1024;
/** So that views of any type span the whole piece. */
const PAGE_BYTES = 4_096;

/** Memory for what is written anew with each batch, used again. */
export class BufferPool {
  readonly #free: ArrayBuffer[] = [];
  #freeBytes = 0;

  /** At least `bytes` of memory that hold anything. */
  take(bytes: number): ArrayBuffer {
    if (bytes < POOLED_BYTES_MIN) return new ArrayBuffer(bytes);
    const found = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    if (found !== -1) {
      const [buffer] = this.#free.splice(found, 1);
      this.#freeBytes -= buffer.byteLength;
      return buffer;
    }
    // Batches differ in size: one of a third more need not be allocated anew, and no more than that is unused.
    return new ArrayBuffer(Math.ceil(((bytes / PAGE_BYTES) * 4) / 3) * PAGE_BYTES);
  }

  /** Takes back what `take` gave and nobody reads any more. */
  give(buffer: ArrayBuffer): void {
    const { byteLength } = buffer;
    if (byteLength < POOLED_BYTES_MIN) return;
    // The smallest first, which `take` finds first; what is too much goes to the garbage collector, the smaller ones before.
    this.#free.push(buffer);
    this.#free.sort((a, b) => a.byteLength - b.byteLength);
    this.#freeBytes += byteLength;
    while (this.#freeBytes > FREE_BYTES_MAX) this.#freeBytes -= this.#free.shift()?.byteLength ?? this.#freeBytes;
  }
}
