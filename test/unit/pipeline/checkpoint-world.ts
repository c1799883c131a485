/**
 * A world around the checkpoint protocol: one shard, two ingests that feed it and write its checkpoints, owners that commit, resets, roll-backs. Chance
 * decides what happens at every call that a checkpoint makes, and where its process ends. After every event the newest complete checkpoint is held to
 * the states that the shard has had at its position.
 */
import assert from 'node:assert/strict';
import { createMemoryShardStore } from '@tideline/adapters';
import {
  CheckpointedStore,
  type CheckpointLog,
  type CheckpointResult,
  ChunkBuilder,
  encodeChunk,
  type Shard,
  type ShardStore,
  type SnapshotStore,
  StaleEpochError,
  shardName,
  statesOf,
  writeCheckpoint,
} from '@tideline/pipeline';

export const SHARD: Shard = { topic: 'ticks', partition: 3 };
const SCHEMA = { numbers: [], texts: [] };
const SERIES = 12;
const NEVER = new AbortController().signal;

/** The process ends here. */
class Crash extends Error {}

type Store = ShardStore & SnapshotStore;
type States = ReadonlyMap<string, string>;

/** Chance of each event, at every call of a checkpoint. */
export interface Faults {
  readonly crash: number;
  readonly otherIngest: number;
  readonly rollback: number;
  readonly reset: number;
}

interface Moment {
  readonly position: number;
  readonly states: States;
}

// A state is a pure function of the log: the newest offset of its series; some records end it.
const seriesAt = (offset: number): string => `s${(Math.imul(offset + 1, 2_654_435_761) >>> 8) % SERIES}`;
const endsAt = (offset: number): boolean => offset % 11 === 7;

export class CheckpointWorld {
  readonly #random: () => number;
  readonly #faults: Faults;
  readonly #log: CheckpointLog;
  #store: Store = createMemoryShardStore({ logBytesMax: 1e9 });
  #moments: Moment[] = [];
  #revision = '';
  #ingests: CheckpointedStore[];
  #depth = 0;
  #writing = 0;
  readonly counts: Record<string, number> = {};

  constructor(random: () => number, faults: Faults, log: CheckpointLog) {
    this.#random = random;
    this.#faults = faults;
    this.#log = log;
    this.#ingests = [0, 1].map(() => this.#newIngest());
  }

  /** Feeds and commits a while, with checkpoints by either ingest; then the faults stop and the newest checkpoint must become that of the position. */
  async run(checkpoints: number): Promise<void> {
    await this.#append(0);
    await this.#commit();
    for (let i = 0; i < checkpoints; i += 1) {
      for (let n = this.#below(4); n > 0; n -= 1) await this.#event();
      await this.#checkpoint(this.#happens(2 * this.#faults.otherIngest) ? 1 : 0);
    }
    this.#depth = 2;
    for (let n = 0; n < 40; n += 1) {
      await this.#append(0);
      await this.#commit();
    }
    const state = this.#ingests[0].tracked()[0];
    const tries: string[] = [];
    // One may find that it is fenced, one that its memory is not whole.
    while (tries.length < 3 && tries.at(-1) !== 'written')
      tries.push(
        await this.#write(state).then(
          ({ status }) => status,
          (error: Error) => error.name,
        ),
      );
    assert.equal(tries.at(-1), 'written', `once faults stop, a checkpoint is written, not ${tries.join(', ')}`);
    const newest = await this.#check();
    assert.equal(newest?.position, (await this.#store.snapshot(SHARD, []))?.position);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  #happens(probability: number): boolean {
    return this.#random() < probability;
  }

  /** What goes on around a checkpoint, at each of its calls. */
  async #step(): Promise<void> {
    if (this.#depth > 1) return;
    while (this.#happens(0.3)) await this.#event();
    if (this.#depth === 1 && this.#happens(this.#faults.otherIngest)) {
      await this.#checkpoint(1 - this.#writing);
    }
    if (!this.#happens(this.#faults.crash)) return;
    this.#count('crash');
    throw new Crash();
  }

  async #event(): Promise<void> {
    const which = this.#random();
    if (this.#happens(this.#faults.rollback)) await this.#rollBack();
    else if (this.#happens(this.#faults.reset)) await this.#reset();
    else if (which < 0.45) await this.#append(this.#happens(this.#faults.otherIngest) ? 1 : 0);
    else await this.#commit();
    await this.#check();
  }

  async #append(ingest: number): Promise<void> {
    const from = (await this.#store.head(SHARD)) ?? 0;
    const rows = 1 + this.#below(4);
    const builder = new ChunkBuilder(SCHEMA, rows);
    for (let at = 0; at < rows; at += 1) builder.push(seriesAt(from + at), from + at, { ms: 0, subNs: 0, unit: 'ms' });
    const next = from + rows;
    const bytes = encodeChunk(builder.finish(next));
    await this.#ingests[ingest].append(SHARD, { from, begins: from === 0, next, bytes });
  }

  async #commit(): Promise<void> {
    const { epoch, position: from } = await this.#store.claim(SHARD, `owner-${this.#below(2)}`);
    const entries = await this.#store.read(SHARD, from, 1 + this.#below(3));
    if (entries.length === 0) return;
    const position = entries[entries.length - 1].next;
    const changed = new Map<string, string | null>();
    for (let offset = from; offset < position; offset += 1)
      changed.set(seriesAt(offset), endsAt(offset) ? null : `at ${offset}`);
    await this.#change({ epoch, from, position, changed });
  }

  async #reset(): Promise<void> {
    const { epoch, position } = await this.#store.claim(SHARD, 'operator');
    await this.#change({ epoch, from: position, position, changed: new Map([[`s${this.#below(SERIES)}`, null]]) });
    this.#revision = `${this.#random()}`;
    this.#remember(position, this.#newest());
    this.#count('reset');
  }

  async #change(work: {
    readonly epoch: number;
    readonly from: number;
    readonly position: number;
    readonly changed: ReadonlyMap<string, string | null>;
  }): Promise<void> {
    const { changed, ...rest } = work;
    const kept = [...changed].filter((entry): entry is [string, string] => entry[1] !== null);
    const removed = [...changed].filter(([, state]) => state === null).map(([key]) => key);
    const keys = kept.map(([key]) => key);
    const states = kept.map(([, state]) => Buffer.from(state));
    await this.#store.commit({ shard: SHARD, model: 'm', keys, states, removed, ...rest });
    const after = new Map([...this.#newest(), ...kept]);
    for (const key of removed) after.delete(key);
    this.#remember(work.position, after);
  }

  #newest(): States {
    return this.#moments[this.#moments.length - 1]?.states ?? new Map();
  }

  #remember(position: number, states: States): void {
    this.#moments.push({ position, states });
  }

  /** The store starts again without its newest commits and its log. */
  async #rollBack(): Promise<void> {
    const lost = this.#below(Math.min(20, this.#moments.length));
    const moment = this.#moments[this.#moments.length - 1 - lost];
    this.#store = createMemoryShardStore({ logBytesMax: 1e9 });
    const states = statesOf(new Map([...moment.states].map(([key, state]) => [key, Buffer.from(state)])));
    await this.#store.install({ shard: SHARD, ...moment, epoch: 1, model: 'm', states }, { force: false });
    this.#revision = `${this.#random()}`;
    this.#remember(moment.position, moment.states);
    this.#count('rollback');
  }

  async #checkpoint(ingest: number): Promise<void> {
    const tracked = this.#ingests[ingest].tracked()[0];
    if (!tracked) return void (await this.#ingests[ingest].head(SHARD));
    this.#depth += 1;
    // The other ingest may write one meanwhile; one process writes one at a time.
    const before = this.#writing;
    this.#writing = ingest;
    try {
      const { status } = await this.#write(tracked);
      this.#count(status);
      if (status === 'foreign') this.#ingests[ingest].untrack(SHARD);
    } catch (error) {
      if (error instanceof Crash) this.#ingests[ingest] = this.#newIngest();
      else if (!(error instanceof StaleEpochError)) throw error;
      this.#count('fenced or crashed');
    } finally {
      this.#writing = before;
      this.#depth -= 1;
    }
    await this.#check();
  }

  #write(tracked: ReturnType<CheckpointedStore['tracked']>[number]): Promise<CheckpointResult> {
    const step = (): Promise<void> => this.#step();
    const inner = this.#log;
    const log: CheckpointLog = {
      async begin(shard) {
        await step();
        const writer = await inner.begin(shard);
        await step();
        return {
          // Series by series, so that the process can end between any two.
          async write(changes) {
            for (const change of changes) {
              await writer.write([change]);
              await step();
            }
          },
          async commit(marker) {
            await step();
            await writer.commit(marker);
            await step();
          },
          close: () => writer.close(),
        };
      },
      read: (shards, how) => inner.read(shards, how),
      async [Symbol.asyncDispose]() {},
    };
    return writeCheckpoint({ ...tracked, store: this.#watched(), log, nowMs: () => 0, pace: step, signal: NEVER });
  }

  /** The store as a checkpoint sees it: the world goes on between any two calls, and between any two states of a scan. */
  #watched(): Store {
    const around = async <T>(call: (store: Store) => Promise<T>): Promise<T> => {
      await this.#step();
      const reply = await call(this.#store);
      await this.#step();
      return reply;
    };
    return Object.assign(Object.create(this.#store) as Store, {
      snapshot: (shard: Shard, keys: readonly string[]) =>
        around(async (store) => {
          const snapshot = await store.snapshot(shard, keys);
          return snapshot && { ...snapshot, revision: this.#revision };
        }),
      load: (shard: Shard, keys: readonly string[]) => around((store) => store.load(shard, keys)),
      read: (shard: Shard, position: number, max: number) => around((store) => store.read(shard, position, max)),
      states: (shard: Shard) => this.#scan(shard),
    });
  }

  /** As a scan of Redis: each state is read when its turn comes. */
  async *#scan(shard: Shard): AsyncGenerator<{ readonly key: string; readonly bytes: Uint8Array }> {
    for (const key of [...this.#newest().keys()]) {
      await this.#step();
      const [bytes] = await this.#store.load(shard, [key]);
      if (bytes) yield { key, bytes };
    }
  }

  #newIngest(): CheckpointedStore {
    const follow = { append: (...args: Parameters<Store['append']>) => this.#store.append(...args) };
    const head = { head: (shard: Shard) => this.#store.head(shard) };
    const store = Object.assign(Object.create(this.#store) as Store, follow, head);
    const options = { restore: false, accepts: async () => true, nowMs: () => 0, onEvent: () => undefined };
    return new CheckpointedStore({ store, log: this.#log, ...options });
  }

  /** Throws where the newest complete checkpoint is none of the states that the shard has had at its position. */
  async #check() {
    const newest = (await this.#log.read([SHARD], { takeOver: false, settled: false })).get(shardName(SHARD));
    if (newest === undefined) return null;
    const found = [...newest.states].map(([key, bytes]) => [key, Buffer.from(bytes).toString()]).sort();
    const possible = this.#moments.filter(({ position }) => position === newest.marker.position);
    const equal = possible.some(({ states }) => JSON.stringify([...states].sort()) === JSON.stringify(found));
    if (!equal) assert.deepEqual(found, [...(possible[possible.length - 1]?.states ?? [])].sort());
    return newest.marker;
  }
}
