import { randomUUID } from 'node:crypto';
import type {
  AppendResult,
  Claim,
  Commit,
  Fence,
  LogEntry,
  Shard,
  ShardImage,
  ShardSnapshot,
  ShardStatus,
  ShardStore,
  SnapshotStore,
} from '@tideline/pipeline';
import { SHARD_CLOCK_KEY, shardName } from '@tideline/pipeline';
import type { Database, RootDatabase } from 'lmdb';
import {
  appendTransition,
  assertFence,
  claimTransition,
  commitTransition,
  installTransition,
  LOG_RECORDS_MAX_DEFAULT,
  type LogBounds,
  NEW_SHARD,
  releaseTransition,
  type ShardState,
} from '../memory/shard-state.ts';
import { logKey, readLogKey, readState, shardRange, stateKey } from './lmdb-keys.ts';
import { lmdbWrite, openLmdb } from './lmdb-open.ts';

/** Options of the LMDB store. */
export interface LmdbShardStoreOptions {
  /** Folder of the database; created where it is not there. */
  readonly folder: string;
  /** Bytes of encoded chunks that a shard's log may hold. */
  readonly logBytesMax: number;
  /** Offsets that a shard's log may span. */
  readonly logRecordsMax?: number;
}

/** A ShardStore in a folder of this machine, for the run without servers. Throws ConfigError where the folder cannot be used. */
export function createLmdbShardStore(options: LmdbShardStoreOptions): ShardStore & SnapshotStore {
  const { folder, logBytesMax, logRecordsMax = LOG_RECORDS_MAX_DEFAULT } = options;
  return new LmdbShardStore(folder, { logBytesMax, logRecordsMax });
}

type StoredShard = ShardState & { readonly topic: string; readonly partition: number };

class LmdbShardStore implements ShardStore, SnapshotStore {
  readonly #folder: string;
  readonly #bounds: LogBounds;
  readonly #root: RootDatabase;
  readonly #shards: Database<StoredShard, string>;
  readonly #log: Database<Buffer, Buffer>;
  readonly #states: Database<Buffer, Buffer>;

  constructor(folder: string, bounds: LogBounds) {
    this.#folder = folder;
    this.#bounds = bounds;
    this.#root = openLmdb(folder);
    this.#shards = this.#root.openDB('shards', { encoding: 'json' });
    this.#log = this.#root.openDB('log', { encoding: 'binary', keyEncoding: 'binary' });
    this.#states = this.#root.openDB('states', { encoding: 'binary', keyEncoding: 'binary' });
  }

  async head(shard: Shard): Promise<number | null> {
    const { head } = this.#state(shard);
    return head === -1 ? null : head;
  }

  append(shard: Shard, entry: { readonly from: number; readonly begins: boolean } & LogEntry): Promise<AppendResult> {
    const { from, begins, next, bytes } = entry;
    return this.#write(() => {
      const outcome = appendTransition(
        this.#state(shard),
        { from, begins, next, sizeBytes: bytes.length },
        this.#bounds,
      );
      if (outcome.stored) {
        this.#log.putSync(logKey(shardName(shard), next, bytes.length), asBuffer(bytes));
        this.#put(shard, outcome.state);
      }
      return outcome.result;
    });
  }

  claim(shard: Shard, owner: string): Promise<Claim> {
    return this.#write(() => {
      const { state, claim } = claimTransition(this.#state(shard), owner);
      this.#put(shard, state);
      return claim;
    });
  }

  async read(shard: Shard, position: number, entriesMax: number, fence?: Fence): Promise<LogEntry[]> {
    assertFence(shard, this.#state(shard), fence);
    const name = shardName(shard);
    const start = logKey(name, Math.max(0, position + 1), 0);
    const range = this.#log.getRange({ start, end: shardRange(name).end, limit: entriesMax });
    return Array.from(range, ({ key, value }) => ({ next: readLogKey(key).next, bytes: value }));
  }

  async load(shard: Shard, keys: readonly string[], fence?: Fence): Promise<(Uint8Array | null)[]> {
    if (keys.length === 0) return [];
    assertFence(shard, this.#state(shard), fence);
    return this.#load(shard, keys);
  }

  #load(shard: Shard, keys: readonly string[]): (Uint8Array | null)[] {
    const name = shardName(shard);
    return keys.map((series) => {
      const { key, lead } = stateKey(name, series);
      const value = this.#states.getBinary(key);
      if (!value) return null;
      return lead ? value.subarray(lead.length) : value;
    });
  }

  commit(commit: Commit): Promise<void> {
    const name = shardName(commit.shard);
    return this.#write(() => {
      const trimmed = this.#trimmable(name, commit.position);
      const state = commitTransition(this.#state(commit.shard), commit, () =>
        trimmed.reduce((sum, key) => sum + readLogKey(key).sizeBytes, 0),
      );
      if (!state) return;
      commit.keys.forEach((series, index) => {
        this.#putState(name, series, commit.states[index]);
      });
      for (const series of commit.removed) this.#states.removeSync(stateKey(name, series).key);
      for (const key of trimmed) this.#log.removeSync(key);
      this.#put(commit.shard, state);
    });
  }

  release(
    shard: Shard,
    options: { readonly epoch: number; readonly keep: boolean },
  ): Promise<{ readonly drained: boolean; readonly ticket: number | null }> {
    return this.#write(() => {
      const { state, result } = releaseTransition(shard, this.#state(shard), options);
      this.#put(shard, state);
      return result;
    });
  }

  async status(): Promise<ShardStatus[]> {
    return Array.from(this.#shards.getRange(), ({ key, value }) => ({
      shard: { topic: value.topic, partition: value.partition },
      epoch: value.epoch,
      owner: value.owner,
      position: value.position,
      head: value.head,
      logBytes: value.logBytes,
      series: this.#series(key),
      ticket: value.outstanding ? value.ticket : null,
    }));
  }

  async *states(shard: Shard): AsyncIterable<{ readonly key: string; readonly bytes: Uint8Array }> {
    const name = shardName(shard);
    // No snapshot: whoever takes his time over it would keep old pages from being used again.
    const range = { ...shardRange(name), snapshot: false };
    for (const { key, value } of this.#states.getRange(range)) yield readState(name, key, value);
  }

  async snapshot(shard: Shard, keys: readonly string[]): Promise<ShardSnapshot | null> {
    // One read transaction serves all reads until the next turn of the event loop.
    const { head, epoch, position, model, revision = '' } = this.#state(shard);
    if (head === -1) return null;
    return { epoch, position, model, revision, states: this.#load(shard, keys) };
  }

  async capture(shard: Shard): Promise<(ShardImage & AsyncDisposable) | null> {
    const { head, epoch, position, model } = this.#state(shard);
    if (head === -1) return null;
    const name = shardName(shard);
    // All at once: a range that is read across turns of the event loop would see later commits.
    const states = Array.from(this.#states.getRange(shardRange(name)), ({ key, value }) => readState(name, key, value));
    return { shard, position, epoch, model, states: each(states), [Symbol.asyncDispose]: async () => {} };
  }

  async install(image: ShardImage, options: { readonly force: boolean }): Promise<boolean> {
    const name = shardName(image.shard);
    const states: { readonly key: string; readonly bytes: Uint8Array }[] = [];
    for await (const state of image.states) states.push(state);
    return this.#write(() => {
      const before = this.#state(image.shard);
      if (before.head !== -1 && !options.force) return false;
      for (const key of this.#states.getKeys(shardRange(name))) this.#states.removeSync(key);
      for (const key of this.#log.getKeys(shardRange(name))) this.#log.removeSync(key);
      for (const { key, bytes } of states) this.#putState(name, key, bytes);
      this.#put(image.shard, installTransition(before, image, randomUUID()));
      return true;
    });
  }

  touch(shard: Shard): Promise<void> {
    return this.#write(() => this.#put(shard, { ...this.#state(shard), revision: randomUUID() }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#root.close();
  }

  #write<T>(work: () => T): Promise<T> {
    return lmdbWrite(this.#root, this.#folder, work);
  }

  #state(shard: Shard): ShardState {
    return this.#shards.get(shardName(shard)) ?? NEW_SHARD;
  }

  /** Series of the shard that have a state; the watermark is none. */
  #series(name: string): number {
    const keys = this.#states.getKeysCount(shardRange(name));
    return this.#states.doesExist(stateKey(name, SHARD_CLOCK_KEY).key) ? keys - 1 : keys;
  }

  #putState(name: string, series: string, state: Uint8Array): void {
    const { key, lead } = stateKey(name, series);
    const bytes = asBuffer(state);
    this.#states.putSync(key, lead ? Buffer.concat([lead, bytes]) : bytes);
  }

  #put(shard: Shard, state: ShardState): void {
    this.#shards.putSync(shardName(shard), { ...state, topic: shard.topic, partition: shard.partition });
  }

  /** Keys of the log entries whose `next` is at most `position`. Never more than the log's bound holds. */
  #trimmable(name: string, position: number): Buffer[] {
    return Array.from(this.#log.getKeys({ start: shardRange(name).start, end: logKey(name, position + 1, 0) }));
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
