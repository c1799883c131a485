import { setTimeout as sleep } from 'node:timers/promises';

/** A batch of so many records is not little. */
const PACED_RECORDS_MAX = 200;

/** Holds the next fetch back where one brought little. */
export class FetchPace {
  readonly #intervalMs: number;
  #due: Promise<void> | null = null;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Called with each batch as it comes; the batches of a fetch come in one turn of the event loop, and the first begins the interval. */
  after(records: number): Promise<void> | undefined {
    if (records >= PACED_RECORDS_MAX || this.#intervalMs === 0) return undefined;
    this.#due ??= sleep(this.#intervalMs).then(() => {
      this.#due = null;
    });
    return this.#due;
  }
}
