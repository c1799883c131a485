import { setTimeout as sleep } from 'node:timers/promises';

/** A batch of so many records is not little. */
const PACED_RECORDS_MAX = 200;
/** The next fetch is due so many times as long after a batch came as handling one takes: two thirds of the time are left to what comes after. */
const INTERVAL_HANDLINGS = 3;
/** Weight of a batch in the running mean of handling times: the last ten or so count. */
const MEAN_WEIGHT = 0.1;

/**
 * Holds the next fetch back where one brought little, for records that are fetched, appended and stepped one by one cost many times the price.
 *
 * How long is taken from the machine: a multiple of what handling a batch takes here, the store's answer included. Where processors are free that is 1 ms,
 * and small batches every 3 ms keep latency low; where every hop waits for a processor it grows, batches grow with it, and the cost a record falls.
 */
export class FetchPace {
  readonly #intervalMsMax: number;
  #due: Promise<void> | null = null;
  #handlingMs = 0;

  /** `intervalMsMax`: ms at most from a batch to the next fetch; 0 never waits. */
  constructor(intervalMsMax: number) {
    this.#intervalMsMax = intervalMsMax;
  }

  /** Called with each batch as it comes; the batches of a fetch come in one turn of the event loop, and the first begins the interval. */
  after(records: number): Promise<void> | undefined {
    if (records >= PACED_RECORDS_MAX || this.#intervalMsMax === 0) return undefined;
    this.#due ??= sleep(this.intervalMs).then(() => {
      this.#due = null;
    });
    return this.#due;
  }

  /** Handling a batch of so many records took `ms`. */
  handled(records: number, ms: number): void {
    // A large batch says nothing about small ones; one that had to wait (a full log, a store that was away) no more than that it took the longest time.
    if (records >= PACED_RECORDS_MAX) return;
    this.#handlingMs += MEAN_WEIGHT * (Math.min(ms, this.#intervalMsMax) - this.#handlingMs);
  }

  /** ms from a batch to the next fetch, as things are. */
  get intervalMs(): number {
    return Math.min(this.#intervalMsMax, INTERVAL_HANDLINGS * this.#handlingMs);
  }
}
