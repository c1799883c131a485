/**
 * Redis: the shard store and the ticket queue, with one history. The store is the real memory store, which shares its rules with the
 * LMDB store and is held to the Redis store's Lua by the contract suite.
 *
 * Every change is kept with its time, so that Redis can lose its last second (appendfsync everysec) or everything: the rest is applied again
 * to an empty state. Store and tickets lose the same changes, because they are one server.
 */
import { createMemoryShardStore } from '@tideline/adapters';
import type { ShardStore, SnapshotStore } from '@tideline/pipeline';
import type { SimServer } from './sim-process.ts';
import { TicketTable } from './ticket-table.ts';
import type { World } from './world.ts';

export type SimStore = ShardStore & SnapshotStore;

export interface RedisState {
  readonly store: SimStore;
  readonly tickets: TicketTable;
}

interface Change {
  readonly atMs: number;
  readonly apply: (state: RedisState) => unknown;
}

export interface SimRedisOptions {
  /** A test's injected bug. */
  readonly sabotage?: ((store: SimStore) => SimStore) | undefined;
  readonly logBytesMax: number;
  readonly logRecordsMax: number;
}

export class SimRedis implements SimServer {
  readonly name = 'redis';
  readonly #world: World;
  readonly #options: SimRedisOptions;
  readonly #wakes = new Set<() => void>();
  readonly #listeners = new Map<string, (shard: string, head: number) => void>();
  #changes: Change[] = [];
  #state: RedisState;
  #downUntilMs = 0;
  #clockAheadMs = 0;
  /** Grows each time that something was lost. */
  losses = 0;

  constructor(world: World, options: SimRedisOptions) {
    this.#world = world;
    this.#options = options;
    this.#state = this.#empty();
  }

  get state(): RedisState {
    return this.#state;
  }

  /** What the server's clock says; locks end by it. */
  get clockMs(): number {
    return this.#world.nowMs + this.#clockAheadMs;
  }

  note(text: string): void {
    this.#world.note(text);
  }

  isDown(): boolean {
    return this.#world.nowMs < this.#downUntilMs;
  }

  stopFor(ms: number): void {
    this.#downUntilMs = this.#world.nowMs + ms;
  }

  start(): void {
    this.#downUntilMs = 0;
  }

  jumpClock(byMs: number): void {
    this.#clockAheadMs += byMs;
  }

  /** Applies a change and keeps it. */
  change<T>(apply: (state: RedisState) => T): T {
    this.#changes.push({ atMs: this.#world.nowMs, apply });
    return apply(this.#state);
  }

  /** Loses every change after `sinceMs`. What is left is applied again before the next event. */
  lose(sinceMs: number): void {
    this.#changes = this.#changes.filter(({ atMs }) => atMs < sinceMs);
    this.#state = this.#empty();
    this.losses += 1;
    const state = this.#state;
    void (async () => {
      for (const { apply } of this.#changes)
        try {
          await apply(state);
        } catch {
          // Refused then as now.
        }
    })();
  }

  /** A worker that waits for a job is woken by the next one. */
  onJob(wake: () => void): void {
    this.#wakes.add(wake);
  }

  /** Word for a shard's owner: of appends, and of another's claim (Infinity). */
  listen(owner: string, listener: (shard: string, head: number) => void): void {
    this.#listeners.set(owner, listener);
  }

  tell(owner: string, shard: string, head: number): void {
    this.#listeners.get(owner)?.(shard, head);
  }

  wakeWorkers(): void {
    const wakes = [...this.#wakes];
    this.#wakes.clear();
    for (const wake of wakes) wake();
  }

  #empty(): RedisState {
    const store = createMemoryShardStore(this.#options);
    return { store: this.#options.sabotage?.(store) ?? store, tickets: new TicketTable() };
  }
}
