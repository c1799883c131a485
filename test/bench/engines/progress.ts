const BAR_WIDTH = 24;

/** Where a long run stands: a bar with the time left on a terminal, a line a case elsewhere. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #total: number;
  readonly #startMs = performance.now();
  #done = 0;

  constructor(stream: NodeJS.WriteStream, total: number) {
    this.#stream = stream;
    this.#total = total;
  }

  /** Another case begins; the one before it is done. */
  begin(title: string): void {
    const done = this.#done;
    this.#done += 1;
    if (!this.#stream.isTTY) {
      this.#stream.write(`${this.#done}/${this.#total} ${title}\n`);
      return;
    }
    const filled = Math.round((done / this.#total) * BAR_WIDTH);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    const elapsedMs = performance.now() - this.#startMs;
    const left = done === 0 ? '' : `, ${Math.round(((elapsedMs / done) * (this.#total - done)) / 1e3)} s left`;
    this.#clear();
    this.#stream.write(`${bar} ${done}/${this.#total} ${title}${left}`);
  }

  say(line: string): void {
    this.#clear();
    this.#stream.write(`${line}\n`);
  }

  end(): void {
    this.#clear();
  }

  #clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[K');
  }
}
