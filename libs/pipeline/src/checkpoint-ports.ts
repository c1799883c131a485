/**
 * What checkpoints ask of the world: a store that can be looked at in one moment and filled from outside, and a log beyond it that keeps the newest
 * complete checkpoint of every shard. See `checkpoint.ts` for the protocol and docs/decisions/0005-checkpoints.md for the reasons.
 */
import type { Shard } from './record.ts';

/** One series and its state; null: the series has none (any more). */
export interface StateChange {
  readonly key: string;
  readonly bytes: Uint8Array | null;
}

/** A shard at one moment: every field belongs to the same commit. */
export interface ShardSnapshot {
  readonly epoch: number;
  /** -1 before the first append. */
  readonly position: number;
  readonly model: string;
  /**
   * Another one after every `touch` (states were changed by something else than a record) and after every start of the store, which may have lost its
   * newest commits and have got new ones since.
   */
  readonly revision: string;
  /** States of the keys asked for, in their order; null where there is none. */
  readonly states: readonly (Uint8Array | null)[];
}

/** Where a shard stands, for a copy of it. */
export interface ShardMark {
  readonly shard: Shard;
  /** Offset of the next record to step. */
  readonly position: number;
  readonly epoch: number;
  /** Digest of the model that the states belong to; '' where there never was one. */
  readonly model: string;
}

/** All of a shard at one moment. */
export interface ShardImage extends ShardMark {
  readonly states: AsyncIterable<{ readonly key: string; readonly bytes: Uint8Array }>;
}

/** What a ShardStore can do beside its daily work. All stores of ours do. */
export interface SnapshotStore {
  /** The shard and the states of `keys`, read in one step; null: the store does not know the shard. */
  snapshot(shard: Shard, keys: readonly string[]): Promise<ShardSnapshot | null>;
  /** All of the shard as it is at this moment, however long the reading takes; null: unknown. Disposing gives the copy back. */
  capture(shard: Shard): Promise<(ShardImage & AsyncDisposable) | null>;
  /**
   * Makes the shard what the image says, with an empty log and an epoch above any that it had or the image has, so that every owner of before is fenced.
   * False, having changed nothing, where the store knows the shard already and not `force`. All or nothing: cut short, the shard is unknown.
   */
  install(image: ShardImage, options: { readonly force: boolean }): Promise<boolean>;
  /** Says that states were changed by something else than records: the next checkpoint looks at all of them. */
  touch(shard: Shard): Promise<void>;
}

/** A complete checkpoint as the log names it. */
export interface CheckpointMarker extends ShardMark {
  readonly atMs: number;
}

export interface Checkpoint {
  readonly marker: CheckpointMarker;
  readonly states: ReadonlyMap<string, Uint8Array>;
}

/**
 * Keeps the newest complete checkpoint of each shard. Its two promises are what the protocol rests on:
 * - What a writer wrote becomes visible at its `commit`, all of it, or never.
 * - `begin` ends every writer of the shard that began before: nothing of theirs becomes visible from then on, and their next commit fails.
 */
export interface CheckpointLog extends AsyncDisposable {
  begin(shard: Shard): Promise<CheckpointWriter>;
  /**
   * The newest complete checkpoints of these shards, by `shardName`. `takeOver` ends their writers first: a dead one's unfinished work would be waited
   * for; a live one begins anew. `settled`: none committed before the call is missed, though somebody else's unfinished one stands before it.
   */
  read(
    shards: readonly Shard[],
    options: { readonly takeOver: boolean; readonly settled: boolean },
  ): Promise<ReadonlyMap<string, Checkpoint>>;
}

/** Writes one checkpoint after the other, each as the difference to the one before. Throws StaleEpochError where another writer began since. */
export interface CheckpointWriter {
  write(changes: readonly StateChange[]): Promise<void>;
  /** Everything written since the commit before becomes visible. */
  commit(marker: CheckpointMarker): Promise<void>;
  /** Drops what is not committed. The writer is not used again. Never throws. */
  close(): Promise<void>;
}
