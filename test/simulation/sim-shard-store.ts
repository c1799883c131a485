import { type Commit, type ShardStore, shardName } from '@tideline/pipeline';
import type { SimProcess } from './sim-process.ts';
import type { RedisState, SimRedis } from './sim-redis.ts';

/** Sees every change of the store at the server, in the order of their effects. */
export interface StoreWatch {
  changed(state: RedisState, commit: Commit | null): Promise<void>;
}

/** The ShardStore port of one process: each call is a request to the simulated Redis. */
export function createSimShardStore(process: SimProcess, redis: SimRedis, watch: StoreWatch): ShardStore {
  const ask = <T>(label: string, effect: (store: ShardStore) => Promise<T>): Promise<T> =>
    process.call(redis, label, () => effect(redis.state.store));
  const change = <T>(
    label: string,
    effect: (store: ShardStore) => Promise<T>,
    commit: Commit | null = null,
  ): Promise<T> =>
    process.call(redis, label, async () => {
      const outcome = redis.change(({ store }) => effect(store));
      await outcome.catch(() => undefined);
      await watch.changed(redis.state, commit);
      return outcome;
    });
  return {
    head: (shard) => ask(`head ${shardName(shard)}`, (store) => store.head(shard)),
    append: (shard, entry) =>
      change(`append ${shardName(shard)} ${entry.from}-${entry.next}`, (store) => store.append(shard, entry)),
    claim: (shard, owner) => change(`claim ${shardName(shard)}`, (store) => store.claim(shard, owner)),
    read: (...args) => ask(`read ${shardName(args[0])}@${args[1]}`, (store) => store.read(...args)),
    load: (...args) => ask(`load ${shardName(args[0])}`, (store) => store.load(...args)),
    commit: (commit) =>
      change(
        `commit ${shardName(commit.shard)} e${commit.epoch} ${commit.from}-${commit.position}`,
        (store) => store.commit(commit),
        commit,
      ),
    release: (shard, options) =>
      change(`release ${shardName(shard)} e${options.epoch}`, (store) => store.release(shard, options)),
    status: () => ask('status', (store) => store.status()),
    states: (shard) => redis.state.store.states(shard),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
