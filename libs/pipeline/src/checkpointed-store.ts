/**
 * A ShardStore with a checkpoint log beyond it, as ingest sees it: a shard that the store does not know comes from its newest complete checkpoint before
 * anybody is told that it begins, and the keys of every chunk are noted for the next checkpoint.
 */
import { ChangedKeys } from './changed-keys.ts';
import { type CheckpointState, isOfAnother } from './checkpoint.ts';
import type { CheckpointLog, CheckpointMarker, SnapshotStore } from './checkpoint-ports.ts';
import { chunkKeys } from './chunk-codec.ts';
import type { AppendResult, Commit, Fence, LogEntry, ShardStore } from './ports.ts';
import { type Shard, shardName } from './record.ts';

export type RestoreEvent =
  | {
      readonly type: 'restored';
      readonly shard: Shard;
      readonly marker: CheckpointMarker;
      readonly series: number;
      readonly durationMs: number;
    }
  /** No checkpoint, or one that the source cannot go on from: the shard begins at the beginning of retention. */
  | {
      readonly type: 'not-restored';
      readonly shard: Shard;
      readonly reason: 'none' | 'refused';
      readonly position: number;
    };

export interface CheckpointedStoreOptions {
  readonly store: ShardStore & SnapshotStore;
  readonly log: CheckpointLog;
  /** Whether unknown shards are restored. */
  readonly restore: boolean;
  /** Whether the source can go on from the checkpoint (its topic may have been made anew). */
  readonly accepts: (marker: CheckpointMarker) => Promise<boolean>;
  readonly nowMs: () => number;
  readonly onEvent: (event: RestoreEvent) => void;
}

/** Where a shard's log ends, and whose its states are. */
interface Stands {
  readonly head: number;
  readonly model: string;
}

export class CheckpointedStore implements ShardStore {
  readonly #options: CheckpointedStoreOptions;
  readonly #store: ShardStore & SnapshotStore;
  readonly #states = new Map<string, { readonly shard: Shard; readonly state: CheckpointState }>();
  /** Shards that wait for the log to be read, once for all of them; with where each stands, null: unknown. */
  readonly #asked = new Map<string, { readonly shard: Shard; readonly stands: Stands | null }>();
  #restoring: Promise<void> = Promise.resolve();

  constructor(options: CheckpointedStoreOptions) {
    this.#options = options;
    this.#store = options.store;
  }

  /** Shards that this process feeds, with what their next checkpoint needs. */
  tracked(): readonly { readonly shard: Shard; readonly state: CheckpointState }[] {
    return [...this.#states.values()];
  }

  /** The shard is fed by somebody else. */
  untrack(shard: Shard): void {
    this.#states.delete(shardName(shard));
  }

  async head(shard: Shard): Promise<number | null> {
    // Asked at every assignment: others may have fed the shard since.
    this.#stateOf(shard).changed.forget();
    const head = await this.#store.head(shard);
    if (head !== null || !this.#options.restore) return head;
    await this.#restore(shard, null);
    return this.#store.head(shard);
  }

  /**
   * The shard ends before what the source retains: a store that was rolled back, and retention has gone on meanwhile. The newest checkpoint takes its place
   * where it is ahead; every point below it was accepted before it was written. The same where the two are of different models: a change of the model is
   * a checkpoint first (`changeModel`), and a store that does not know of it yet, or any more, follows.
   */
  async catchUp(shard: Shard): Promise<void> {
    const [head, now] = [await this.#store.head(shard), await this.#store.snapshot(shard, [])];
    if (this.#options.restore)
      await this.#restore(shard, head === null || now === null ? null : { head, model: now.model });
  }

  async append(
    shard: Shard,
    entry: { readonly from: number; readonly begins: boolean } & LogEntry,
  ): Promise<AppendResult> {
    const result = await this.#store.append(shard, entry);
    if (result.status === 'ok') {
      const { from, next, bytes } = entry;
      const { changed } = this.#stateOf(shard);
      if (next > changed.end) changed.appended({ from, next, keys: chunkKeys(bytes) });
    }
    // The store lost the shard while we ran.
    if (result.status === 'seek' && result.head === null && this.#options.restore) {
      await this.#restore(shard, null);
      return { status: 'seek', head: await this.#store.head(shard) };
    }
    return result;
  }

  claim(shard: Shard, owner: string): ReturnType<ShardStore['claim']> {
    return this.#store.claim(shard, owner);
  }

  read(shard: Shard, position: number, entriesMax: number, fence?: Fence): Promise<LogEntry[]> {
    return this.#store.read(shard, position, entriesMax, fence);
  }

  load(shard: Shard, keys: readonly string[], fence?: Fence): Promise<(Uint8Array | null)[]> {
    return this.#store.load(shard, keys, fence);
  }

  commit(commit: Commit): Promise<void> {
    return this.#store.commit(commit);
  }

  release(
    shard: Shard,
    options: { readonly epoch: number; readonly keep: boolean },
  ): ReturnType<ShardStore['release']> {
    return this.#store.release(shard, options);
  }

  status(): ReturnType<ShardStore['status']> {
    return this.#store.status();
  }

  states(shard: Shard): ReturnType<ShardStore['states']> {
    return this.#store.states(shard);
  }

  /** The store and the log are their makers' to close. */
  async [Symbol.asyncDispose](): Promise<void> {}

  #stateOf(shard: Shard): CheckpointState {
    const name = shardName(shard);
    let known = this.#states.get(name);
    if (!known) {
      known = { shard, state: { changed: new ChangedKeys(), writer: null, marker: null, revision: '' } };
      this.#states.set(name, known);
    }
    return known.state;
  }

  /** One reading of the log serves all shards that ask before it starts. */
  #restore(shard: Shard, stands: Stands | null): Promise<void> {
    this.#asked.set(shardName(shard), { shard, stands });
    const turn = this.#restoring.then(() => this.#restoreAsked());
    this.#restoring = turn.catch(() => undefined);
    return turn;
  }

  async #restoreAsked(): Promise<void> {
    const { log, accepts, nowMs, onEvent } = this.#options;
    const asked = [...this.#asked.values()];
    if (asked.length === 0) return;
    const started = nowMs();
    const found = await log.read(
      asked.map(({ shard }) => shard),
      { takeOver: true, settled: true },
    );
    for (const { shard, stands } of asked) {
      const checkpoint = found.get(shardName(shard));
      if (checkpoint === undefined || !(await accepts(checkpoint.marker))) {
        const position = checkpoint?.marker.position ?? -1;
        onEvent({ type: 'not-restored', shard, reason: checkpoint === undefined ? 'none' : 'refused', position });
      } else if (
        stands === null ||
        checkpoint.marker.position > stands.head ||
        isOfAnother(checkpoint.marker, stands.model)
      ) {
        const { marker, states } = checkpoint;
        const image = { ...marker, shard, states: statesOf(states) };
        if (await this.#store.install(image, { force: stands !== null }))
          onEvent({ type: 'restored', shard, marker, series: states.size, durationMs: nowMs() - started });
      }
      // Only now: where this failed, the next in turn tries again for all who asked.
      this.#asked.delete(shardName(shard));
    }
  }
}

/** A checkpoint's states as an image gives them. */
export async function* statesOf(
  states: ReadonlyMap<string, Uint8Array>,
): AsyncGenerator<{ readonly key: string; readonly bytes: Uint8Array }> {
  for (const [key, bytes] of states) yield { key, bytes };
}
