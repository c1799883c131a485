import { Redis, type RedisOptions } from 'ioredis';

/**
 * A connection whose `disconnect` also ends one that waits to reconnect. In ioredis that state has no way out but the next attempt: its waiting
 * commands neither fail nor go on, and BullMQ's `close` waits for an `end` that never comes while Redis is away.
 */
export function createWorkerRedis(url: string, options: Omit<RedisOptions, 'replyMapping'>): Redis {
  return endable(new Redis(url, options));
}

function endable(redis: Redis): Redis {
  const disconnect = redis.disconnect.bind(redis);
  const duplicate = redis.duplicate.bind(redis);
  redis.disconnect = (reconnect = false) => {
    // `wait` (not connected yet) is the state that ioredis ends at once, failing what waits.
    if (!reconnect && redis.status === 'reconnecting') redis.status = 'wait';
    disconnect(reconnect);
  };
  // BullMQ makes its blocking connection by this.
  redis.duplicate = ((override?: Partial<RedisOptions>) => endable(duplicate(override))) as Redis['duplicate'];
  return redis;
}
