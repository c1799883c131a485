/**
 * Which series of a shard may have changed since its newest checkpoint, known from the chunks that ingest appends: a state changes only where its series
 * has a record below the position. Nothing is asked of the commit.
 *
 * Coverage: every key with a record in the log when `adopt` was called, or appended after it and below `end`, is known. A chunk that does not start at
 * `end` was preceded by somebody else's: the keys of that one are unknown, and the next checkpoint looks at every state (`complete` false).
 */

/** Bound on the keys remembered; beyond it the next checkpoint looks at every state. */
const KEYS_MAX_DEFAULT = 2_000_000;

/** Keys of a chunk that covers offsets [from, next). */
export interface ChunkKeys {
  readonly from: number;
  readonly next: number;
  readonly keys: readonly string[];
}

export class ChangedKeys {
  readonly #keysMax: number;
  /** Keys with records below the position last taken at, not yet in a complete checkpoint. */
  readonly #changed = new Set<string>();
  /** Chunks above that position, in order. */
  #pending: ChunkKeys[] = [];
  #pendingKeys = 0;
  #end = -1;
  #complete = false;

  constructor(keysMax = KEYS_MAX_DEFAULT) {
    this.#keysMax = keysMax;
  }

  /** Whether the keys known are all that can have changed since the newest checkpoint. */
  get complete(): boolean {
    return this.#complete;
  }

  /** End of what is known: a position above it was reached by records of somebody else. */
  get end(): number {
    return this.#end;
  }

  get size(): number {
    return this.#changed.size + this.#pendingKeys;
  }

  /** The chunk is in the log. */
  appended(chunk: ChunkKeys): void {
    if (chunk.next <= this.#end) return;
    if (chunk.from !== this.#end) this.#complete = false;
    this.#end = chunk.next;
    this.#remember(chunk);
  }

  /**
   * Starts anew, for a checkpoint that looks at every state after this call: `entries` is what the log holds now, `position` was read after it.
   * Chunks appended meanwhile stay known. So do those that a store that was rolled back has lost: a batch of theirs that was under way may still be
   * committed, and the topic may have been compacted since, so that no chunk will ever name its keys again. They say nothing of where the log ends.
   */
  adopt(entries: readonly ChunkKeys[], position: number): void {
    const known = [...this.#pending].sort((a, b) => a.from - b.from);
    this.#changed.clear();
    this.#pending = [];
    this.#pendingKeys = 0;
    this.#complete = true;
    this.#end = Math.max(position, ...entries.slice(-1).map(({ next }) => next));
    for (const chunk of entries) this.#remember(chunk);
    for (const chunk of known) {
      if (chunk.from === this.#end) this.#end = chunk.next;
      if (chunk.next > position) this.#remember(chunk);
    }
  }

  /** Keys with records below `position` that were not handed out since they had them. */
  take(position: number): string[] {
    for (const { from, keys } of this.#pending) if (from < position) for (const key of keys) this.#changed.add(key);
    // The log may be cut into other chunks, by an ingest of before: one that is crossed in part is taken now and again later.
    this.#pending = this.#pending.filter(({ next }) => next > position);
    this.#pendingKeys = this.#pending.reduce((sum, { keys }) => sum + keys.length, 0);
    const keys = [...this.#changed];
    this.#changed.clear();
    return keys;
  }

  /** The next checkpoint looks at every state: what was taken came to nothing, or more has changed than is known here. */
  forget(): void {
    this.#complete = false;
  }

  #remember(pending: ChunkKeys): void {
    this.#pending.push(pending);
    this.#pendingKeys += pending.keys.length;
    if (this.size <= this.#keysMax) return;
    // Too much to remember. What is pending goes too: `adopt` reads it from the log again.
    this.#complete = false;
    this.#changed.clear();
    this.#pending = [];
    this.#pendingKeys = 0;
  }
}
