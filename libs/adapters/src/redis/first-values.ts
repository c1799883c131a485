import { openRedis, redisAddress } from './redis-connection.ts';
import { withRedisErrors } from './redis-errors.ts';

/** Values that are set once. */
export interface FirstValues extends AsyncDisposable {
  /** Sets the value of `name` unless it has one; resolves with the one that stands. Throws RetryableError. */
  keep(name: string, value: string): Promise<string>;
}

export interface RedisFirstValuesOptions {
  readonly url: string;
  /** Of the keys. */
  readonly prefix: string;
  /** A value is kept so long. */
  readonly keepS: number;
  readonly onWarning?: (message: string) => void;
}

const ATTEMPTS_MAX = 3;

/** Values in Redis: of several who set one at once, all are told the same. Throws RetryableError where no Redis answers. */
export async function createRedisFirstValues(options: RedisFirstValuesOptions): Promise<FirstValues> {
  const { url, prefix, keepS, onWarning = () => undefined } = options;
  const redis = await openRedis(url, { name: 'tideline-first-values', onWarning });
  return {
    keep: (name, value) =>
      withRedisErrors(redisAddress(url), async () => {
        const key = `${prefix}:${name}`;
        // One that expires between the two is set anew.
        for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
          if ((await redis.set(key, value, 'EX', keepS, 'NX')) === 'OK') return value;
          const standing = await redis.get(key);
          if (standing !== null) return standing;
        }
        return value;
      }),
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}
