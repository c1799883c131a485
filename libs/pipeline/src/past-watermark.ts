import type { Watermark } from './shard-clock.ts';

/** The shard's watermark around a record of the past. */
export interface Mark {
  readonly before: number;
  readonly sinceMs: number;
  readonly after: number;
}

/** The watermark as it was at each record of a series, from the records of all of them. */
export class PastWatermark implements Watermark {
  readonly #marks: readonly Mark[];
  #at = 0;

  constructor(marks: readonly Mark[]) {
    this.#marks = marks;
  }

  get watermarkMs(): number {
    return this.#marks[Math.min(this.#at, this.#marks.length - 1)].before;
  }

  get sinceMs(): number {
    return this.#marks[Math.min(this.#at, this.#marks.length - 1)].sinceMs;
  }

  observe(): number {
    this.#at += 1;
    return this.#marks[this.#at - 1].after;
  }

  stateAt(): null {
    return null;
  }
}
