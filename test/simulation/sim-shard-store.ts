import type { ShardStore } from '@tideline/pipeline';
import type { SimProcess } from './sim-process.ts';
import type { RedisState, SimRedis } from './sim-redis.ts';

/** Sees every change of the store at the server, in the order of their effects. */
export interface StoreWatch {
  changed(state: RedisState): Promise<void>;
}

/** The ShardStore port of one process: each call is a request to the simulated Redis. */
export function createSimShardStore(process: SimProcess, redis: SimRedis, watch: StoreWatch): ShardStore {
  const ask = <T>(label: string, effect: (store: ShardStore) => Promise<T>): Promise<T> =>
    process.call(redis, label, () => effect(redis.state.store));
  const change = <T>(label: string, effect: (store: ShardStore) => Promise<T>): Promise<T> =>
    process.call(redis, label, async () => {
      const outcome = redis.change(({ store }) => effect(store));
      await outcome.catch(() => undefined);
      await watch.changed(redis.state);
      return outcome;
    });
  return {
    head: (shard) => ask('head', (store) => store.head(shard)),
    append: (shard, entry) => change('append', (store) => store.append(shard, entry)),
    claim: (shard, owner) => change('claim', (store) => store.claim(shard, owner)),
    read: (...args) => ask('read', (store) => store.read(...args)),
    load: (...args) => ask('load', (store) => store.load(...args)),
    commit: (commit) => change('commit', (store) => store.commit(commit)),
    release: (shard, options) => change('release', (store) => store.release(shard, options)),
    status: () => ask('status', (store) => store.status()),
    states: (shard) => redis.state.store.states(shard),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
