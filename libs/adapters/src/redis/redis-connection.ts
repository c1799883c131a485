import { ConfigError, RetryableError } from '@tideline/pipeline';
import { Redis } from 'ioredis';
import { translateRedisError } from './redis-errors.ts';

/** Attempts to reconnect before the commands that wait fail, with the delays below about 3 s. */
const RETRIES_A_REQUEST_MAX = 5;
const RECONNECT_DELAY_MS_MAX = 2_000;
const RECONNECT_DELAY_MS_STEP = 200;
const CONNECT_TIMEOUT_MS = 5_000;
/** A commit of 100,000 states takes about half a second. */
const COMMAND_TIMEOUT_MS = 15_000;
/**
 * A connection that owes an answer for so long is given up and made anew: its other side may be gone without a word (half open), and a command that times
 * out leaves it as it is. Above the time that a worker's blocking command waits.
 */
export const SILENCE_MS_MAX = 10_000;
/** XTRIM MINID came with 6.2. */
const VERSION_MIN = [6, 2] as const;

/** Host, port and database of a Redis URL, without its secrets. Throws ConfigError where it is no Redis URL. */
export function redisAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '')
    throw new ConfigError(['The Redis URL is not one: it looks like redis://HOST:6379 (rediss:// for TLS).']);
  return `${parsed.protocol}//${parsed.hostname}:${parsed.port || '6379'}${parsed.pathname.replace(/\/$/, '')}`;
}

/** Where a connection leads, for messages. */
export function connectionAddress(connection: Redis): string {
  const { host, port, path } = connection.options;
  return path ? `unix:${path}` : `redis://${host ?? 'localhost'}:${port ?? 6379}`;
}

/**
 * Connects, and fails within CONNECT_TIMEOUT_MS where nobody answers: RetryableError for a server that is not there (yet), ConfigError for one that
 * refuses us. Later trouble is told to `onWarning` once a loss, while the connection mends itself.
 */
export async function openRedis(
  url: string,
  options: { readonly name: string; readonly onWarning: (message: string) => void },
): Promise<Redis> {
  const address = redisAddress(url);
  const settings = {
    lazyConnect: true,
    connectionName: options.name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS_MAX,
    maxRetriesPerRequest: RETRIES_A_REQUEST_MAX,
    retryStrategy: (times: number) => Math.min(times * RECONNECT_DELAY_MS_STEP, RECONNECT_DELAY_MS_MAX),
  };
  const redis = new Redis(url, settings);
  let reason: Error | null = null;
  let ready = false;
  redis.on('ready', () => {
    reason = null;
    ready = true;
  });
  redis.on('error', (error: Error) => {
    if (ready && reason === null)
      options.onWarning(`The connection to Redis at ${address} is lost (${error.message}).`);
    reason = error;
  });
  try {
    await redis.connect();
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw connectError(reason ?? cause, address);
  }
}

function connectError(cause: unknown, address: string): Error {
  const error = translateRedisError(cause, address);
  if (!(error instanceof RetryableError)) return error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RetryableError(
    `Nothing answers as Redis at ${address} (${reason}). Start Redis there, or correct the address.`,
    { cause },
  );
}

/** Looks at how the server is set up: throws ConfigError for a version that cannot serve, warns of settings that can lose data. */
export async function checkRedisServer(
  redis: Redis,
  address: string,
  onWarning: (message: string) => void,
): Promise<void> {
  const report = await redis.info();
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(report)?.[1] ?? '';
  const version = field('redis_version');
  const [major, minor] = version.split('.').map(Number);
  if (major < VERSION_MIN[0] || (major === VERSION_MIN[0] && minor < VERSION_MIN[1]))
    throw new ConfigError([`Redis at ${address} is version ${version}; at least ${VERSION_MIN.join('.')} is needed.`]);
  const policy = field('maxmemory_policy');
  if (policy !== '' && policy !== 'noeviction')
    onWarning(`Redis at ${address} may evict states (maxmemory-policy ${policy}): set it to noeviction.`);
  if (field('aof_enabled') === '0')
    onWarning(
      `Redis at ${address} forgets on restart (appendonly no): set it to yes, or a restart replays from the start.`,
    );
}
