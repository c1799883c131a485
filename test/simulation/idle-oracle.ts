/**
 * When a series was silent for too long, in the plainest words: its own event time leaps by more than the TTL, or the watermark (the second largest of the
 * series' newest times) has gone on that far since its last record.
 */
import type { IdleExpectation } from './expectation.ts';
import type { OracleTimes } from './oracle-state.ts';

export class IdleOracle {
  readonly #ttlMs: number | null;
  readonly #newest = new Map<string, number>();
  readonly #marks: { offset: number; watermarkMs: number; sinceMs: number }[] = [];
  #sinceMs = Number.NEGATIVE_INFINITY;
  /** Series that began anew. */
  restarts = 0;

  /** `ttlMs` null: no series is ever too silent. */
  constructor(ttlMs: number | null) {
    this.#ttlMs = ttlMs;
  }

  /** Whether a series with these times begins anew with a record of this event time. */
  wasSilent(times: OracleTimes | undefined, ts: number): boolean {
    if (this.#ttlMs === null || times === undefined) return false;
    const since = Math.max(times.taken, this.#sinceMs);
    const was = ts - times.heard > this.#ttlMs || this.#watermark() - since > this.#ttlMs;
    if (was) this.restarts += 1;
    return was;
  }

  /** The record is there; gives the watermark with it. */
  take(offset: number, key: string, ts: number): number {
    if (this.#ttlMs === null) return Number.NEGATIVE_INFINITY;
    this.#newest.set(key, Math.max(ts, this.#newest.get(key) ?? ts));
    const watermarkMs = this.#watermark();
    if (this.#sinceMs === Number.NEGATIVE_INFINITY) this.#sinceMs = watermarkMs;
    this.#marks.push({ offset, watermarkMs, sinceMs: this.#sinceMs });
    return watermarkMs;
  }

  expectation(): IdleExpectation | null {
    return this.#ttlMs === null ? null : { ttlMs: this.#ttlMs, marks: this.#marks };
  }

  #watermark(): number {
    return [...this.#newest.values()].sort((a, b) => b - a)[1] ?? Number.NEGATIVE_INFINITY;
  }
}
