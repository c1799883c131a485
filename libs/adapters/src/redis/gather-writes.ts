import type { Redis } from 'ioredis';

/** From here on a command is not held back for others. */
const BYTES_MAX = 32_768;

/**
 * Returns what is called before each command of the connection: the small commands of one turn of the event loop leave in one write. A write to a socket,
 * with the waking of its other side, costs several times what a command costs.
 */
export function createWriteGatherer(redis: Redis): () => void {
  let corked: Redis['stream'] | null = null;
  const release = (): void => {
    corked?.uncork();
    corked = null;
  };
  return () => {
    const { stream } = redis;
    if (corked !== null) {
      if (corked !== stream || stream.writableLength > BYTES_MAX) release();
      return;
    }
    if (redis.status !== 'ready' || stream.writableLength > BYTES_MAX) return;
    corked = stream;
    stream.cork();
    setImmediate(release);
  };
}
