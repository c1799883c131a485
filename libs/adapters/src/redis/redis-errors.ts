import { ConfigError, RetryableError, TidelineError } from '@tideline/pipeline';

const REPLIES = [
  [/^(NOAUTH|WRONGPASS|NOPERM|ERR invalid password|ERR AUTH)/, 'config', 'Check the user and password of its URL.'],
  [/^WRONGTYPE/, 'config', 'Another program uses the same key prefix: choose another one.'],
  [/^OOM/, 'retry', 'Redis is out of memory: raise maxmemory, or lower the bound of the shard logs.'],
  [
    /^(READONLY|LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|NOREPLICAS|UNKILLABLE)/,
    'retry',
    'It is not ready.',
  ],
] as const;

/** Turns an error of ioredis into ours: RetryableError for passing trouble, ConfigError for what only a person can mend, itself for a bug of ours. */
export function translateRedisError(cause: unknown, address: string): Error {
  if (cause instanceof TidelineError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (error.name === 'AssertionError') return error;
  if (error.name === 'ReplyError') {
    const known = REPLIES.find(([pattern]) => pattern.test(error.message));
    const text = `Redis at ${address} refused a command (${error.message}).`;
    if (!known) return new Error(text, { cause });
    const [, kind, cure] = known;
    return kind === 'config' ? new ConfigError([`${text} ${cure}`]) : new RetryableError(`${text} ${cure}`, { cause });
  }
  return new RetryableError(`Redis at ${address} did not answer (${error.message}).`, { cause });
}

/** Runs `work`; what it throws is translated. */
export async function withRedisErrors<T>(address: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw translateRedisError(cause, address);
  }
}
