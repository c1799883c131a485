import { mkdirSync } from 'node:fs';
import { ConfigError, RetryableError } from '@tideline/pipeline';
import { open, type RootDatabase } from 'lmdb';

/** Named databases of one folder: shards, log, states, dead letters. */
const DATABASES_MAX = 8;

/**
 * Opens the LMDB environment in `folder`, creating it. Several processes may open one folder. Throws ConfigError where the folder cannot be used.
 *
 * Promises of writes resolve when the write is on the disk (lmdb's default: one sync for all transactions that wait), so a commit outlives
 * `kill -9` and a power cut.
 */
export function openLmdb(folder: string): RootDatabase {
  try {
    mkdirSync(folder, { recursive: true });
    return open({ path: folder, noSubdir: false, maxDbs: DATABASES_MAX });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([
      `The state folder '${folder}' cannot be opened (${reason}). Name a folder on a local disk that this user may write.`,
    ]);
  }
}

/** Runs `work` in one write transaction; it must check before it writes, since what it wrote before a throw stays. */
export async function lmdbWrite<T>(root: RootDatabase, folder: string, work: () => T): Promise<T> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  try {
    await root.transaction(() => {
      try {
        outcome = { value: work() };
      } catch (error) {
        outcome = { error };
      }
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RetryableError(`Writing to the state folder '${folder}' failed (${reason}). Is the disk full?`, {
      cause,
    });
  }
  if (outcome && 'value' in outcome) return outcome.value;
  throw outcome?.error ?? new RetryableError(`Writing to the state folder '${folder}' did not run.`);
}
