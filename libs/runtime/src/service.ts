/** A service's life: two signals, exit codes that scripts can use, and a crash where something was not foreseen. */
import { redactUrl } from './logger.ts';

export interface ServiceSignals {
  /** Aborts at the first SIGTERM or SIGINT: finish the batch, hand over, close. */
  readonly drain: AbortSignal;
  /** Aborts at the second one, or after 3/4 of the grace period: stop now. */
  readonly abort: AbortSignal;
}

export interface ServiceOptions {
  readonly name: string;
  readonly graceMs?: number;
}

/** sysexits.h: EX_CONFIG and EX_UNAVAILABLE. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  CONFIG_INVALID: 78,
  MODEL_INVALID: 78,
  KERNEL_STALE: 78,
  RETRYABLE: 69,
};
const EXIT_FAILURE = 1;
const GRACE_MS_DEFAULT = 20_000;
/** What a library may need to close its sockets once `main` has ended. */
const LINGER_MS = 2_000;

/** Runs `main` with the process's signals. Sets the exit code: 78 configuration or build, 69 a server does not answer, 1 anything else. */
export async function runService(
  options: ServiceOptions,
  main: (signals: ServiceSignals) => Promise<void>,
): Promise<void> {
  const { name, graceMs = GRACE_MS_DEFAULT } = options;
  const drain = new AbortController();
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onSignal = (): void => {
    if (drain.signal.aborted) abort.abort();
    drain.abort();
    timer ??= setTimeout(() => abort.abort(), graceMs * 0.75).unref();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    await main({ drain: drain.signal, abort: abort.signal });
  } catch (error) {
    process.exitCode = report(name, error, drain.signal.aborted);
  } finally {
    clearTimeout(timer);
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
    endWhenLingering(name);
  }
}

/** A connection that a client library forgot would keep a process that has done its work until somebody kills it. */
function endWhenLingering(name: string): void {
  const timer = setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`tideline ${name}: ended although these were still open: ${open}.\n`);
    process.exit();
  }, LINGER_MS);
  timer.unref();
}

function report(name: string, error: unknown, stopping: boolean): number {
  const known =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? EXIT_CODES[error.code] : undefined;
  if (stopping && error instanceof Error && error.name === 'AbortError') return 0;
  const text =
    error instanceof Error ? (known === undefined ? (error.stack ?? error.message) : error.message) : String(error);
  process.stderr.write(`tideline ${name}: ${redactUrl(text)}\n`);
  return known ?? EXIT_FAILURE;
}

/** Resolves after `ms`, or as soon as `signal` aborts. Never rejects. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
