import { randomUUID } from 'node:crypto';
import {
  type AppendResult,
  type Claim,
  type Commit,
  type Fence,
  type LogEntry,
  SHARD_CLOCK_KEY,
  type Shard,
  type ShardImage,
  type ShardSnapshot,
  type ShardStatus,
  type ShardStore,
  type SnapshotStore,
  shardName,
  statesOf,
} from '@tideline/pipeline';
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
} from './shard-state.ts';

/** Options of the memory store. */
export interface MemoryShardStoreOptions {
  /** Bytes of encoded chunks that a shard's log may hold. */
  readonly logBytesMax: number;
  /** Offsets that a shard's log may span. */
  readonly logRecordsMax?: number;
}

/** A ShardStore in this process's memory: the model that the other stores are compared with, and the store of tests. */
export function createMemoryShardStore(options: MemoryShardStoreOptions): ShardStore & SnapshotStore {
  return new MemoryShardStore({ logRecordsMax: LOG_RECORDS_MAX_DEFAULT, ...options });
}

interface Cell {
  readonly shard: Shard;
  state: ShardState;
  log: LogEntry[];
  states: Map<string, Uint8Array>;
}

class MemoryShardStore implements ShardStore, SnapshotStore {
  readonly #bounds: LogBounds;
  readonly #cells = new Map<string, Cell>();

  constructor(bounds: LogBounds) {
    this.#bounds = bounds;
  }

  async head(shard: Shard): Promise<number | null> {
    const head = this.#state(shard).head;
    return head === -1 ? null : head;
  }

  async append(
    shard: Shard,
    entry: { readonly from: number; readonly begins: boolean } & LogEntry,
  ): Promise<AppendResult> {
    const { from, begins, next, bytes } = entry;
    const outcome = appendTransition(this.#state(shard), { from, begins, next, sizeBytes: bytes.length }, this.#bounds);
    if (outcome.stored) {
      const cell = this.#cell(shard);
      cell.state = outcome.state;
      cell.log.push({ next, bytes: bytes.slice() });
    }
    return outcome.result;
  }

  async claim(shard: Shard, owner: string): Promise<Claim> {
    const { state, claim } = claimTransition(this.#state(shard), owner);
    this.#cell(shard).state = state;
    return claim;
  }

  async read(shard: Shard, position: number, entriesMax: number, fence?: Fence): Promise<LogEntry[]> {
    assertFence(shard, this.#state(shard), fence);
    const log = this.#cells.get(shardName(shard))?.log ?? [];
    const entries = log.filter((entry) => entry.next > position).slice(0, entriesMax);
    return entries.map(({ next, bytes }) => ({ next, bytes: bytes.slice() }));
  }

  async load(shard: Shard, keys: readonly string[], fence?: Fence): Promise<(Uint8Array | null)[]> {
    if (keys.length === 0) return [];
    assertFence(shard, this.#state(shard), fence);
    const states = this.#cells.get(shardName(shard))?.states;
    return keys.map((key) => states?.get(key)?.slice() ?? null);
  }

  async commit(commit: Commit): Promise<void> {
    const log = this.#cells.get(shardName(commit.shard))?.log ?? [];
    const kept = log.filter((entry) => entry.next > commit.position);
    const state = commitTransition(this.#state(commit.shard), commit, () => sizeOf(log) - sizeOf(kept));
    if (!state) return;
    const cell = this.#cell(commit.shard);
    cell.state = state;
    cell.log = kept;
    commit.keys.forEach((key, index) => {
      cell.states.set(key, commit.states[index].slice());
    });
    for (const key of commit.removed) cell.states.delete(key);
  }

  async release(
    shard: Shard,
    options: { readonly epoch: number; readonly keep: boolean },
  ): Promise<{ readonly drained: boolean; readonly ticket: number | null }> {
    const { state, result } = releaseTransition(shard, this.#state(shard), options);
    this.#cell(shard).state = state;
    return result;
  }

  async status(): Promise<ShardStatus[]> {
    return [...this.#cells.values()].map(({ shard, state, states }) => ({
      shard,
      epoch: state.epoch,
      owner: state.owner,
      position: state.position,
      head: state.head,
      logBytes: state.logBytes,
      // The watermark is no series.
      series: states.size - (states.has(SHARD_CLOCK_KEY) ? 1 : 0),
      ticket: state.outstanding ? state.ticket : null,
    }));
  }

  async *states(shard: Shard): AsyncIterable<{ readonly key: string; readonly bytes: Uint8Array }> {
    for (const [key, bytes] of this.#cells.get(shardName(shard))?.states ?? []) yield { key, bytes: bytes.slice() };
  }

  async snapshot(shard: Shard, keys: readonly string[]): Promise<ShardSnapshot | null> {
    const cell = this.#cells.get(shardName(shard));
    if (!cell || cell.state.head === -1) return null;
    const { epoch, position, model, revision } = cell.state;
    return { epoch, position, model, revision, states: keys.map((key) => cell.states.get(key)?.slice() ?? null) };
  }

  async capture(shard: Shard): Promise<(ShardImage & AsyncDisposable) | null> {
    const cell = this.#cells.get(shardName(shard));
    if (!cell || cell.state.head === -1) return null;
    const { epoch, position, model } = cell.state;
    const states = statesOf(new Map(cell.states));
    return { shard: cell.shard, position, epoch, model, states, [Symbol.asyncDispose]: async () => {} };
  }

  async install(image: ShardImage, options: { readonly force: boolean }): Promise<boolean> {
    const states = new Map<string, Uint8Array>();
    for await (const { key, bytes } of image.states) states.set(key, bytes.slice());
    const before = this.#state(image.shard);
    if (before.head !== -1 && !options.force) return false;
    const cell = this.#cell(image.shard);
    cell.state = installTransition(before, image, randomUUID());
    cell.log = [];
    cell.states = states;
    return true;
  }

  async touch(shard: Shard): Promise<void> {
    const state = this.#state(shard);
    this.#cell(shard).state = { ...state, revision: randomUUID() };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #state(shard: Shard): ShardState {
    return this.#cells.get(shardName(shard))?.state ?? NEW_SHARD;
  }

  #cell(shard: Shard): Cell {
    const name = shardName(shard);
    let cell = this.#cells.get(name);
    if (!cell) {
      cell = {
        shard: { topic: shard.topic, partition: shard.partition },
        state: NEW_SHARD,
        log: [],
        states: new Map(),
      };
      this.#cells.set(name, cell);
    }
    return cell;
  }
}

function sizeOf(log: readonly LogEntry[]): number {
  return log.reduce((sum, entry) => sum + entry.bytes.length, 0);
}
