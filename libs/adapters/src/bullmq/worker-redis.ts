import { Redis, type RedisOptions } from 'ioredis';

/**
 * A connection whose `disconnect` also ends one that waits to reconnect. In ioredis that state has no way out but the next attempt: its waiting
 * commands neither fail nor go on, and BullMQ's `close` waits for an `end` that never comes while Redis is away.
 */
export class WorkerRedis extends Redis {
  override disconnect(reconnect = false): void {
    // `wait` (not connected yet) is the state that ioredis ends at once, failing what waits.
    if (!reconnect && this.status === 'reconnecting') this.status = 'wait';
    super.disconnect(reconnect);
  }

  /** BullMQ makes its blocking connection by this. */
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new WorkerRedis({ ...this.options, ...override } as RedisOptions);
  }
}
