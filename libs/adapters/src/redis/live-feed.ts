import type { LiveFeed } from '@tideline/pipeline';
import type { Redis } from 'ioredis';
import { openRedis, redisAddress } from './redis-connection.ts';
import { withRedisErrors } from './redis-errors.ts';

/** Options of the Redis feed. */
export interface RedisLiveFeedOptions {
  readonly url: string;
  readonly channel?: string;
  /** Lines that wait for a slow server at most; beyond it the oldest are dropped. */
  readonly waitingLinesMax?: number;
  /** How often a subscriber asks whether its server is still there. One that owes the answer at the next question is left, and connected to anew. */
  readonly pingIntervalMs?: number;
  /** Told of a lost connection. */
  readonly onWarning?: (message: string) => void;
}

const WAITING_LINES_MAX_DEFAULT = 10_000;
const PING_INTERVAL_MS_DEFAULT = 3_000;
/** A message goes to every subscriber's output buffer: Redis cuts one off that has more than 8 MiB for a minute. */
const MESSAGE_LINES_MAX = 2_000;

/**
 * A feed over Redis publish and subscribe. One message is under way at a time; what comes meanwhile waits in a bounded row, newest kept.
 * Throws RetryableError where no Redis answers.
 */
export async function createRedisLiveFeed(options: RedisLiveFeedOptions): Promise<LiveFeed> {
  const { url, channel = 'tideline-live', waitingLinesMax = WAITING_LINES_MAX_DEFAULT } = options;
  const { pingIntervalMs = PING_INTERVAL_MS_DEFAULT } = options;
  const onWarning = options.onWarning ?? (() => {});
  const redis = await openRedis(url, { name: 'tideline-live', onWarning });
  return new RedisLiveFeed({ redis, url, channel, waitingLinesMax, pingIntervalMs, onWarning });
}

interface Parts {
  readonly redis: Redis;
  readonly url: string;
  readonly channel: string;
  readonly waitingLinesMax: number;
  readonly pingIntervalMs: number;
  readonly onWarning: (message: string) => void;
}

type Listener = (lines: readonly string[]) => void;

class RedisLiveFeed implements LiveFeed {
  readonly #parts: Parts;
  #waiting: string[] = [];
  #sending: Promise<void> | null = null;
  readonly #listeners = new Set<{ readonly listen: Listener }>();
  #subscriber: Promise<Redis> | null = null;
  #pinging: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  publish(lines: readonly string[]): void {
    if (this.#closed || lines.length === 0) return;
    const { waitingLinesMax } = this.#parts;
    this.#waiting = this.#waiting.concat(lines).slice(-waitingLinesMax);
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
  }

  async subscribe(listen: Listener): Promise<() => Promise<void>> {
    const entry = { listen };
    this.#listeners.add(entry);
    this.#subscriber ??= this.#listen();
    try {
      await this.#subscriber;
    } catch (error) {
      this.#subscriber = null;
      this.#listeners.delete(entry);
      throw error;
    }
    return async () => {
      this.#listeners.delete(entry);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    this.#waiting = [];
    await this.#sending;
    const subscriber = await this.#subscriber?.catch(() => null);
    clearInterval(this.#pinging);
    // Nothing waits there any more: no goodbye that a connection which broke in silence would hold up.
    for (const redis of [this.#parts.redis, subscriber]) redis?.disconnect();
  }

  async #send(): Promise<void> {
    const { redis, channel } = this.#parts;
    while (this.#waiting.length > 0) {
      const message = this.#waiting.slice(0, MESSAGE_LINES_MAX).join('\n');
      this.#waiting = this.#waiting.slice(MESSAGE_LINES_MAX);
      // A message that is lost loses nothing that is kept; the connection's owner has been warned.
      await redis.publish(channel, message).catch(() => {});
    }
  }

  async #listen(): Promise<Redis> {
    const { url, channel, onWarning } = this.#parts;
    const subscriber = await openRedis(url, { name: 'tideline-live-subscriber', onWarning });
    subscriber.on('message', (_channel: string, message: string) => {
      const lines = message.split('\n');
      for (const { listen } of this.#listeners) {
        try {
          listen(lines);
        } catch (error) {
          onWarning(`A listener of the live feed failed (${error instanceof Error ? error.message : String(error)}).`);
        }
      }
    });
    try {
      await withRedisErrors(redisAddress(url), () => subscriber.subscribe(channel));
    } catch (error) {
      subscriber.disconnect();
      throw error;
    }
    this.#pinging = keepAsking(subscriber, this.#parts.pingIntervalMs);
    return subscriber;
  }
}

/** A subscriber sends nothing by itself: a connection that broke in silence (half open) would look like a quiet stream for ever. */
function keepAsking(subscriber: Redis, intervalMs: number): NodeJS.Timeout {
  let owed = false;
  return setInterval(() => {
    if (subscriber.status !== 'ready') return;
    if (owed) {
      owed = false;
      subscriber.disconnect(true);
      return;
    }
    owed = true;
    const answered = (): void => {
      owed = false;
    };
    subscriber.ping().then(answered, answered);
  }, intervalMs);
}
