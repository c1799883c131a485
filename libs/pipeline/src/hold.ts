/** What a hold needs of its surroundings. */
export interface HoldOptions {
  /** So long, and at most twice as long, a shard is held without a word of new records. */
  readonly idleMs: number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends the hold. */
  readonly signal: AbortSignal;
}

/**
 * A shard whose owner keeps it although its log is drained: the next records are stepped at a word from the store, not by way of the queue (four requests
 * to Redis more). The word may be lost: then the hold ends in time, and the shard's ticket is given back as ever, which finds the records.
 */
export class Hold {
  readonly #options: HoldOptions;
  #head = -1;
  #words = 0;
  #over = false;
  #isTimed = false;
  #wake: () => void = () => {};

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  /** The log ends at `head` now. Infinity: the owner is to look, whatever stands there. */
  appended(head: number): void {
    this.#words += 1;
    this.#head = Math.max(this.#head, head);
    this.#wake();
  }

  end(): void {
    this.#over = true;
    this.#wake();
  }

  /** True as soon as the log is known to go on beyond `position`; false where the hold is over. Rejects where `flight` does. */
  async goesOn(position: number, flight: Promise<void>): Promise<boolean> {
    if (!this.#isTimed) void this.#time();
    while (!this.#over && this.#head <= position) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, flight.then(() => woken)]);
    }
    return !this.#over;
  }

  async #time(): Promise<void> {
    this.#isTimed = true;
    const { idleMs, sleep, signal } = this.#options;
    let heard: number;
    do {
      heard = this.#words;
      await sleep(idleMs, signal).catch(() => undefined);
    } while (!this.#over && !signal.aborted && this.#words > heard);
    this.end();
  }
}
