import { RetryableError } from './errors.ts';

/** How long to go on trying. The waiting itself is a parameter: the core has no timer. */
export interface RetryOptions {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly delayMsMax: number;
  readonly onRetry: (attempt: number, error: RetryableError) => void;
}

/**
 * Runs `work` until it succeeds, waiting between attempts with doubling delays, for as long as it throws RetryableError and the signal holds.
 * Retrying in place is what keeps a shard in order: a framework's retry would let successors overtake.
 */
export async function retryInPlace<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RetryableError) || options.signal.aborted) throw error;
      options.onRetry(attempt, error);
      await options.sleep(Math.min(error.retryAfterMs * 2 ** (attempt - 1), options.delayMsMax), options.signal);
      if (options.signal.aborted) throw error;
    }
  }
}
