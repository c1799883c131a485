import { type Commit, type Shard, shardName } from '@tideline/pipeline';
import type { SimProcess } from './sim-process.ts';
import type { RedisState, SimRedis, SimStore } from './sim-redis.ts';

/** Sees every change of the store at the server, in the order of their effects. */
export interface StoreWatch {
  changed(state: RedisState, change: StoreChange): Promise<void>;
}

/** What the change was, as far as it matters. */
export interface StoreChange {
  readonly commit?: Commit;
  readonly installed?: Shard;
}

const SCAN_KEYS = 3;

/** The ShardStore port of one process: each call is a request to the simulated Redis. */
export function createSimShardStore(process: SimProcess, redis: SimRedis, watch: StoreWatch): SimStore {
  const ask = <T>(label: string, effect: (store: SimStore) => Promise<T>): Promise<T> =>
    process.call(redis, label, () => effect(redis.state.store));
  const changed = async <T>(effect: (store: SimStore) => Promise<T>, what: StoreChange = {}): Promise<T> => {
    const outcome = redis.change(({ store }) => effect(store));
    await outcome.catch(() => undefined);
    await watch.changed(redis.state, what);
    return outcome;
  };
  const change = <T>(label: string, effect: (store: SimStore) => Promise<T>, what?: StoreChange): Promise<T> =>
    process.call(redis, label, () => changed(effect, what));
  const ownerOf = async (shard: Shard): Promise<string> => {
    const name = shardName(shard);
    return (await redis.state.store.status()).find((one) => shardName(one.shard) === name)?.owner ?? '';
  };
  return {
    head: (shard) => ask(`head ${shardName(shard)}`, (store) => store.head(shard)),
    append: (shard, entry) =>
      process.call(redis, `append ${shardName(shard)} ${entry.from}-${entry.next}`, async () => {
        const result = await changed((store) => store.append(shard, entry));
        if (result.status === 'ok' && result.ticket === null)
          redis.tell(await ownerOf(shard), shardName(shard), result.head);
        return result;
      }),
    claim: (shard, owner) =>
      process.call(redis, `claim ${shardName(shard)}`, async () => {
        const before = await ownerOf(shard);
        const claim = await changed((store) => store.claim(shard, owner));
        if (before !== owner) redis.tell(before, shardName(shard), Number.POSITIVE_INFINITY);
        return claim;
      }),
    read: (...args) => ask(`read ${shardName(args[0])}@${args[1]}`, (store) => store.read(...args)),
    load: (...args) => ask(`load ${shardName(args[0])}`, (store) => store.load(...args)),
    commit: (commit) =>
      change(
        `commit ${shardName(commit.shard)} e${commit.epoch} ${commit.from}-${commit.position}`,
        (store) => store.commit(commit),
        { commit },
      ),
    release: (shard, options) =>
      change(`release ${shardName(shard)} e${options.epoch}`, (store) => store.release(shard, options)),
    status: () => ask('status', (store) => store.status()),
    async *states(shard) {
      // As a scan: a state is read when its turn comes.
      const keys = await ask(`scan ${shardName(shard)}`, async (store) => {
        const found: string[] = [];
        for await (const { key } of store.states(shard)) found.push(key);
        return found;
      });
      for (let at = 0; at < keys.length; at += SCAN_KEYS) {
        const some = keys.slice(at, at + SCAN_KEYS);
        const states = await ask(`scan ${shardName(shard)} ${some}`, (store) => store.load(shard, some));
        for (const [i, bytes] of states.entries()) if (bytes !== null) yield { key: some[i], bytes };
      }
    },
    snapshot: (shard, keys) =>
      ask(`snapshot ${shardName(shard)} ${keys}`, async (store) => {
        const found = await store.snapshot(shard, keys);
        return found && { ...found, revision: `${redis.losses} ${found.revision}` };
      }),
    capture: (shard) => ask(`capture ${shardName(shard)}`, (store) => store.capture(shard)),
    async install(image, options) {
      const states: { readonly key: string; readonly bytes: Uint8Array }[] = [];
      for await (const state of image.states) states.push(state);
      return change(
        `install ${shardName(image.shard)}@${image.position}`,
        (store) => store.install({ ...image, states: each(states) }, options),
        { installed: image.shard },
      );
    },
    touch: (shard) => change(`touch ${shardName(shard)}`, (store) => store.touch(shard)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
