/**
 * One checkpoint of a shard, written beside the pipeline: no commit waits for it, and the owner of the shard takes no part in it.
 *
 *   Step 1. Begin a writer, or go on with that of the checkpoint before: whoever began earlier is fenced. So checkpoints become visible in the order in
 *           which their writers began, and each looked at the store after that: none is older than the one that it replaces. And a writer that is not
 *           fenced wrote the newest checkpoint itself: its differences are to that one.
 *   Step 2. Where it is not known which series changed (a new ingest, a gap): adopt the keys of the log, then compare every state of the store with the
 *           newest complete checkpoint and write the differences. The states come from different moments.
 *   Step 3. Write the states of the series with records since, until few are left.
 *   Step 4. Read what is left and the position in one step. A series that had no record below this position since its state was read has that state at
 *           this position; every other one is in this last part. So all states together are those of the position.
 *   Step 5. Write the marker last and commit: everything becomes visible at once, or nothing ever does.
 * A checkpoint never goes back behind the newest one: a store that was rolled back comes to the same states again, and only then is the next one written.
 * Nor does it change the model: `changeModel` alone does, and the store follows.
 */
import { createHash } from 'node:crypto';
import type { ChangedKeys, ChunkKeys } from './changed-keys.ts';
import type {
  CheckpointLog,
  CheckpointMarker,
  CheckpointWriter,
  SnapshotStore,
  StateChange,
} from './checkpoint-ports.ts';
import { chunkKeys } from './chunk-codec.ts';
import type { ShardStore } from './ports.ts';
import { type Shard, shardName } from './record.ts';
import { SHARD_CLOCK_KEY } from './shard-clock.ts';

/** What this process knows of a shard's checkpoints. */
export interface CheckpointState {
  readonly changed: ChangedKeys;
  /** Wrote the newest checkpoint, unless it is fenced; null: none is open. */
  writer: CheckpointWriter | null;
  /** The newest complete checkpoint that this process wrote or found. */
  marker: CheckpointMarker | null;
  /** `revision` of the store at that checkpoint; '': unknown. */
  revision: string;
}

export interface CheckpointOptions {
  readonly shard: Shard;
  readonly store: ShardStore & SnapshotStore;
  readonly log: CheckpointLog;
  readonly state: CheckpointState;
  readonly nowMs: () => number;
  /** Awaited between parts, so that a large checkpoint takes its time. */
  readonly pace: (bytes: number) => Promise<void>;
  readonly signal: AbortSignal;
}

export type CheckpointResult =
  | {
      readonly status: 'written';
      readonly marker: CheckpointMarker;
      /** States written, and series removed. */
      readonly states: number;
      readonly removed: number;
      readonly bytes: number;
      /** Every state of the store was looked at. */
      readonly whole: boolean;
    }
  /** Nothing was written. `foreign`: another ingest feeds the shard. `superseded`: the newest checkpoint is of another model, and the store must follow. */
  | {
      readonly status: 'unknown' | 'unchanged' | 'behind' | 'foreign' | 'unsettled' | 'superseded';
      readonly marker: null;
    };

/** Series read together with the position at most, where fewer rounds do not get there: about the size of one commit. */
const LAST_KEYS_MAX = 2_000;
const ROUNDS_MAX = 1_000;
const LOAD_KEYS_MAX = 1_000;
const PART_BYTES_MAX = 500_000;
const LOG_ENTRIES_A_READ = 64;

/** Throws StaleEpochError where another writer began, RetryableError where a server does not answer: the newest checkpoint stays what it was. */
export async function writeCheckpoint(options: CheckpointOptions): Promise<CheckpointResult> {
  const { shard, store, log, state } = options;
  const { changed } = state;
  const first = await store.snapshot(shard, []);
  if (first === null || first.position < 0) return { status: 'unknown', marker: null };
  // A foreign append that nothing of ours followed.
  if (changed.complete && first.position > changed.end) {
    await giveUp(state);
    return { status: 'foreign', marker: null };
  }
  // A store that fell back behind the newest checkpoint known here may never come to it again: the model may have been changed meanwhile.
  const fellBack = (state.marker?.position ?? -1) > first.position;
  if (state.revision !== first.revision || fellBack || isOfAnother(state.marker, first.model)) changed.forget();
  if (changed.complete && state.marker?.position === first.position) return { status: 'unchanged', marker: null };
  // Step 1.
  const whole = !changed.complete || state.writer === null;
  if (whole) changed.forget();
  const writer = state.writer ?? (await log.begin(shard));
  state.writer = writer;
  const work = new Work(options, writer, first.position, first.revision);
  let written = false;
  try {
    // Step 2.
    const hindrance = whole ? await work.compareAll(first.model) : null;
    if (hindrance !== null) return { status: hindrance, marker: null };
    // Steps 3 to 5.
    const marker = await work.finish();
    if (marker === null) return { status: 'unsettled', marker: null };
    written = true;
    state.marker = marker;
    state.revision = first.revision;
    return { status: 'written', marker, whole, ...work.counts };
  } finally {
    if (!written) await giveUp(state);
  }
}

/** What was taken is in no checkpoint, or nobody knows (a commit whose reply was lost): the next one begins anew. Never throws. */
export async function giveUp(state: CheckpointState): Promise<void> {
  state.changed.forget();
  const { writer } = state;
  state.writer = null;
  await writer?.close();
}

class Work {
  readonly #options: CheckpointOptions;
  readonly #writer: CheckpointWriter;
  readonly #positionMin: number;
  readonly #revision: string;
  /** Series whose state in the log is not known to be that of the store. */
  readonly #due = new Set<string>();
  #part: StateChange[] = [];
  #partBytes = 0;
  readonly counts = { states: 0, removed: 0, bytes: 0 };

  constructor(options: CheckpointOptions, writer: CheckpointWriter, positionMin: number, revision: string) {
    this.#options = options;
    this.#writer = writer;
    this.#positionMin = positionMin;
    this.#revision = revision;
  }

  /** Why the newest checkpoint stays what it is, or null. */
  async compareAll(model: string): Promise<'behind' | 'superseded' | null> {
    const { shard, store, log, state } = this.#options;
    const newest = (await log.read([shard], { takeOver: false, settled: true })).get(shardName(shard));
    state.marker = newest?.marker ?? null;
    if (isOfAnother(state.marker, model)) return 'superseded';
    if (newest !== undefined && newest.marker.position > this.#positionMin) return 'behind';
    const entries = await this.#logKeys();
    // The position after the log was read: what was trimmed meanwhile is in the states that are read from here on.
    const adopted = await store.snapshot(shard, []);
    state.changed.adopt(entries, adopted?.position ?? -1);
    const known = new Map([...(newest?.states ?? [])].map(([key, bytes]) => [key, digestOf(bytes)]));
    for await (const { key, bytes } of store.states(shard)) {
      this.#options.signal.throwIfAborted();
      const before = known.get(key);
      known.delete(key);
      if (before !== digestOf(bytes)) await this.#write({ key, bytes });
    }
    // In the log, but no longer in the store: removed, unless they came back meanwhile.
    for (const key of known.keys()) this.#due.add(key);
    return null;
  }

  /** The committed marker, or null where the shard did not hold still or did not stay ours. */
  async finish(): Promise<CheckpointMarker | null> {
    const { shard, store, state, nowMs, signal } = this.#options;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      signal.throwIfAborted();
      const now = await store.snapshot(shard, []);
      if (now === null) return null;
      this.#takeBelow(now.position);
      if (this.#due.size > LAST_KEYS_MAX && round < ROUNDS_MAX / 2) {
        await this.#writeDue();
        continue;
      }
      // The shard's watermark changes with every commit.
      const keys = [...new Set([...this.#due, SHARD_CLOCK_KEY])];
      const last = await store.snapshot(shard, keys);
      if (last === null || last.position < this.#positionMin || last.revision !== this.#revision) break;
      if (!state.changed.complete || last.position > state.changed.end) break;
      if (isOfAnother(state.marker, last.model)) break;
      if (this.#takeBelow(last.position) > 0) continue;
      for (const [i, key] of keys.entries())
        if (last.states[i] !== null || this.#due.has(key)) await this.#write({ key, bytes: last.states[i] });
      await this.#flush();
      const { epoch, position, model } = last;
      const marker: CheckpointMarker = { shard, position, epoch, model, atMs: nowMs() };
      await this.#writer.commit(marker);
      return marker;
    }
    return null;
  }

  /** Count of the series that came to be due. */
  #takeBelow(position: number): number {
    const keys = this.#options.state.changed.take(position);
    for (const key of keys) this.#due.add(key);
    return keys.length;
  }

  async #writeDue(): Promise<void> {
    const keys = [...this.#due];
    this.#due.clear();
    for (let at = 0; at < keys.length; at += LOAD_KEYS_MAX) {
      const some = keys.slice(at, at + LOAD_KEYS_MAX);
      const states = await this.#options.store.load(this.#options.shard, some);
      for (const [i, key] of some.entries()) await this.#write({ key, bytes: states[i] });
    }
  }

  async #logKeys(): Promise<ChunkKeys[]> {
    const found: ChunkKeys[] = [];
    for (let position = -1; ; ) {
      const entries = await this.#options.store.read(this.#options.shard, position, LOG_ENTRIES_A_READ);
      for (const { next, bytes } of entries) found.push({ from: next - 1, next, keys: chunkKeys(bytes) });
      if (entries.length < LOG_ENTRIES_A_READ) return found;
      position = entries[entries.length - 1].next;
    }
  }

  async #write(change: StateChange): Promise<void> {
    this.#part.push(change);
    this.#partBytes += change.key.length + (change.bytes?.length ?? 0);
    if (change.bytes === null) this.counts.removed += 1;
    else this.counts.states += 1;
    if (this.#partBytes >= PART_BYTES_MAX) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#part.length === 0) return;
    const [part, bytes] = [this.#part, this.#partBytes];
    this.#part = [];
    this.#partBytes = 0;
    await this.#writer.write(part);
    this.counts.bytes += bytes;
    await this.#options.pace(bytes);
  }
}

/** Whether a checkpoint's states are of another model than `model`. Before the first commit they are nobody's. */
export function isOfAnother(marker: CheckpointMarker | null, model: string): boolean {
  return marker !== null && marker.model !== '' && marker.model !== model;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}
