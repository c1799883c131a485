/** Word of what happens to the shards that an owner claimed last. Best effort: who waits for it waits for a while only. */
import type { Redis } from 'ioredis';
import { openRedis, redisAddress } from './redis-connection.ts';
import { withRedisErrors } from './redis-errors.ts';

export interface RedisAppendFeedOptions {
  readonly url: string;
  readonly prefix: string;
  readonly owner: string;
  /** Told of each append to a shard whose ticket is out, with the log's new end; Infinity: another owner has claimed the shard. */
  readonly listener: (shard: string, head: number) => void;
  readonly onWarning?: (message: string) => void;
}

/** Channel of an owner; it ends with the owner's name. */
export function appendsChannel(prefix: string, owner: string): string {
  return `${prefix}:appends:${owner}`;
}

/** Subscribes on a connection of its own. Throws RetryableError where no Redis answers. */
export async function createRedisAppendFeed(options: RedisAppendFeedOptions): Promise<AsyncDisposable> {
  const { url, prefix, owner, listener, onWarning = () => {} } = options;
  const redis: Redis = await openRedis(url, { name: 'tideline-appends', onWarning });
  redis.on('message', (_channel: string, message: string) => {
    const gap = message.indexOf(' ');
    const head = message.slice(0, gap);
    listener(message.slice(gap + 1), head === '*' ? Number.POSITIVE_INFINITY : Number(head));
  });
  try {
    await withRedisErrors(redisAddress(url), () => redis.subscribe(appendsChannel(prefix, owner)));
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}
