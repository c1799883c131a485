import type { Lines, LiveFeed } from '@tideline/pipeline';
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
/** How often a publisher that nobody hears asks whether somebody does. */
const LOOK_MS = 250;
/** A message goes to every subscriber's output buffer: Redis cuts one off that has more than 8 MiB for a minute. */
const MESSAGE_LINES_MAX = 2_000;

/**
 * A feed over Redis publish and subscribe. One message is under way at a time; what comes meanwhile waits in a bounded row, newest kept. Nothing is sent
 * while nobody listens: without a page that is open, the feed costs nothing.
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

/** Lines from `from` on wait. */
interface Waiting {
  readonly lines: Lines;
  from: number;
}

class RedisLiveFeed implements LiveFeed {
  readonly #parts: Parts;
  #waiting: Waiting[] = [];
  #waitingLines = 0;
  /** Whether somebody was there at the last message. */
  #isHeard = true;
  #wake: () => void = () => {};
  #sending: Promise<void> | null = null;
  readonly #listeners = new Set<{ readonly listen: Listener }>();
  #subscriber: Promise<Redis> | null = null;
  #pinging: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  publish(lines: Lines): void {
    if (this.#closed || lines.length === 0) return;
    const { waitingLinesMax } = this.#parts;
    this.#waiting.push({ lines, from: Math.max(0, lines.length - waitingLinesMax) });
    this.#waitingLines += lines.length - this.#waiting[this.#waiting.length - 1].from;
    while (this.#waitingLines > waitingLinesMax) this.#take(this.#waitingLines - waitingLinesMax);
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
    this.#wake();
    await this.#sending;
    const subscriber = await this.#subscriber?.catch(() => null);
    clearInterval(this.#pinging);
    // Nothing waits there any more: no goodbye that a connection which broke in silence would hold up.
    for (const redis of [this.#parts.redis, subscriber]) redis?.disconnect();
  }

  async #send(): Promise<void> {
    const { redis, channel } = this.#parts;
    while (this.#waiting.length > 0) {
      if (!this.#isHeard && !(await this.#look())) continue;
      const message = this.#take(MESSAGE_LINES_MAX);
      // A message that is lost loses nothing that is kept; the connection's owner has been warned.
      const listeners = await redis.publish(channel, message).catch(() => null);
      if (listeners === 0) this.#isHeard = false;
    }
  }

  /** Whether somebody listens now; where not, resolves a while later. */
  async #look(): Promise<boolean> {
    const { redis, channel } = this.#parts;
    const counts = await redis.pubsub('NUMSUB', channel).catch(() => []);
    this.#isHeard = Number(counts[1] ?? 0) > 0;
    if (this.#isHeard) return this.#waiting.length > 0;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#closed) this.#wake();
    });
    return false;
  }

  /** Takes the oldest lines that wait, `linesMax` at most, as the bytes of a message. */
  #take(linesMax: number): Buffer {
    const [first] = this.#waiting;
    const to = Math.min(first.lines.length, first.from + linesMax);
    const bytes = first.lines.bytes(first.from, to);
    this.#waitingLines -= to - first.from;
    first.from = to;
    if (to === first.lines.length) this.#waiting.shift();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - 1);
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
