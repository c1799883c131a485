import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createLmdbShardStore, createRedisShardStore } from '@tideline/adapters';
import { type Shard, type ShardStatus, type ShardStore, type SnapshotStore, shardName } from '@tideline/pipeline';
import { ConfigurationError } from '@tideline/runtime';
import { type Environment, withAddresses } from '../addresses.ts';

export type StateStore = ShardStore & SnapshotStore;

/** Where the states are: Redis, or the folder of an embedded run. */
export interface StatePlace {
  readonly state?: string | undefined;
}

/** Opens the store. Nothing is appended through it, so its bounds do not count. Throws ConfigurationError where a folder holds no states. */
export async function openStateStore(env: Environment, place: StatePlace): Promise<StateStore> {
  if (place.state !== undefined) {
    const folder = join(place.state, 'shards');
    // Opening would create it.
    if (!existsSync(folder))
      throw new ConfigurationError([`'${place.state}' holds no states: name the folder given to 'demo --state'.`]);
    return createLmdbShardStore({ folder, logBytesMax: 1 });
  }
  const { TIDELINE_REDIS_URL: url = '', TIDELINE_REDIS_PREFIX: prefix } = await withAddresses(env);
  const onWarning = (message: string): void => void process.stderr.write(`${message}\n`);
  return createRedisShardStore({ url, logBytesMax: 1, onWarning, ...(prefix ? { prefix } : {}) });
}

/** The store's shards by name, all of them or those of one topic. */
export async function shardsOf(store: ShardStore, topic?: string): Promise<ShardStatus[]> {
  const all = await store.status();
  return all
    .filter(({ shard }) => topic === undefined || shard.topic === topic)
    .sort((a, b) => a.shard.topic.localeCompare(b.shard.topic) || a.shard.partition - b.shard.partition);
}

/** The shard of `topic` that has a state of the series. Throws ConfigurationError where none has. */
export async function findSeries(
  store: ShardStore,
  topic: string,
  key: string,
): Promise<{ readonly shard: Shard; readonly bytes: Uint8Array }> {
  const shards = await shardsOf(store, topic);
  for (const { shard } of shards) {
    const [bytes] = await store.load(shard, [key]);
    if (bytes) return { shard, bytes };
  }
  const names = shards.map(({ shard }) => shardName(shard)).join(', ') || 'no shard of that topic is known';
  throw new ConfigurationError([`No shard of topic '${topic}' has a state of '${key}' (looked at: ${names}).`]);
}
