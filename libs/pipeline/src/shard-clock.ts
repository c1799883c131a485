/**
 * The shard's watermark: the newest event time that two of its series have reached. It is a function of the records in the order of their offsets, it
 * never goes back, and one series whose clock is wrong does not move it. It is committed with the states, under a key that no series has.
 */
import type { Chunk } from './chunk.ts';

/** Key of the watermark among a shard's states: a series' key is never empty. */
export const SHARD_CLOCK_KEY = '';

/** What rows are measured by. */
export interface Watermark {
  /** -Infinity until two series have had records. */
  readonly watermarkMs: number;
  /** The first watermark: it stands for that of states that were written before there was one. */
  readonly sinceMs: number;
  /** Takes the row's event time; the watermark after it. */
  observe(chunk: Chunk, row: number): number;
  /** For the commit that ends at `position`; null: it is not kept. */
  stateAt(position: number): Uint8Array | null;
}

const MAGIC = 0x31435354; // 'TSC1'
const HEADER_BYTES = 40;

export class ShardClock implements Watermark {
  /** The series that is furthest ahead, and where. */
  #leader = '';
  #leaderMs = Number.NEGATIVE_INFINITY;
  watermarkMs = Number.NEGATIVE_INFINITY;
  sinceMs = Number.NEGATIVE_INFINITY;

  /** The clock that was committed at `position`; a new one where there is none of it (the rule was switched on since). */
  static at(position: number, bytes: Uint8Array | null): ShardClock {
    const clock = new ShardClock();
    if (bytes === null || bytes.length < HEADER_BYTES) return clock;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint32(0, true) !== MAGIC || view.getFloat64(8, true) !== position) return clock;
    clock.#leaderMs = view.getFloat64(16, true);
    clock.watermarkMs = view.getFloat64(24, true);
    clock.sinceMs = view.getFloat64(32, true);
    clock.#leader = Buffer.from(bytes.subarray(HEADER_BYTES)).toString('utf8');
    return clock;
  }

  observe(chunk: Chunk, row: number): number {
    const key = chunk.keys[chunk.keyOf[row]];
    const ms = chunk.timeMs[row];
    if (key === this.#leader) {
      this.#leaderMs = Math.max(this.#leaderMs, ms);
    } else if (ms > this.#leaderMs) {
      // The one that is overtaken has reached its own time, and so has the new leader.
      this.#advance(this.#leaderMs);
      this.#leader = key;
      this.#leaderMs = ms;
    } else this.#advance(ms);
    return this.watermarkMs;
  }

  stateAt(position: number): Uint8Array {
    const leader = Buffer.from(this.#leader, 'utf8');
    const bytes = new Uint8Array(HEADER_BYTES + leader.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, MAGIC, true);
    [position, this.#leaderMs, this.watermarkMs, this.sinceMs].forEach((value, i) => {
      view.setFloat64(8 + i * 8, value, true);
    });
    bytes.set(leader, HEADER_BYTES);
    return bytes;
  }

  #advance(ms: number): void {
    if (ms <= this.watermarkMs) return;
    this.watermarkMs = ms;
    if (this.sinceMs === Number.NEGATIVE_INFINITY) this.sinceMs = ms;
  }
}

/** What a series' times are compared with. */
export interface IdleRule {
  readonly ttlMs: number;
  readonly watermarkMs: number;
  readonly sinceMs: number;
}

/**
 * Whether the shard's watermark has gone on by more than the TTL since the series took its last record (`takenAtMs`: the watermark then). It stays true
 * for ever, whatever comes: that is why a state may be removed as soon as it is.
 */
export function isPassedOver({ ttlMs, watermarkMs, sinceMs }: IdleRule, takenAtMs: number): boolean {
  return watermarkMs - Math.max(takenAtMs, sinceMs) > ttlMs;
}
