import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { ConfigError, RetryableError } from '@tideline/pipeline';
import { open, type RootDatabase } from 'lmdb';

/** Named databases of one folder: shards, log, states, dead letters. */
const DATABASES_MAX = 8;
/** LMDB's own files before the first write are smaller. */
const ROOM_BYTES = 65_536;

/**
 * Opens the LMDB environment in `folder`, creating it. Several processes may open one folder. Throws ConfigError where the folder cannot be used.
 *
 * Promises of writes resolve when the write is on the disk (lmdb's default: one sync for all transactions that wait), so a commit outlives
 * `kill -9` and a power cut.
 */
export function openLmdb(folder: string): RootDatabase {
  try {
    mkdirSync(folder, { recursive: true });
    assertRoom(folder);
    // Each of our writes is a transaction already. The batches that lmdb would make of an event loop's turn have promises of their own, which nobody can
    // catch: a full disk would end the process.
    return open({ path: folder, noSubdir: false, maxDbs: DATABASES_MAX, eventTurnBatching: false });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([
      `The state folder '${folder}' cannot be opened (${reason}). Name a folder on a local disk with room, which this user may write.`,
    ]);
  }
}

/** Throws where the disk is full. LMDB maps its lock file before the disk has given it room, and would end the process by SIGBUS. */
function assertRoom(folder: string): void {
  const probe = join(folder, 'probe');
  try {
    writeFileSync(probe, Buffer.alloc(ROOM_BYTES));
  } finally {
    rmSync(probe, { force: true });
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
    throw new RetryableError(
      `Writing to the state folder '${folder}' failed (${await reasonOf(cause)}). Where the disk is full, free some room: the work goes on by itself.`,
      { cause },
    );
  }
  if (outcome && 'value' in outcome) return outcome.value;
  throw outcome?.error ?? new RetryableError(`Writing to the state folder '${folder}' did not run.`);
}

/** lmdb gives the reason of a failed commit as a promise that rejects, in the same turn or the next one; uncaught it would end the process. */
async function reasonOf(cause: unknown): Promise<string> {
  const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  const { commitError } = cause as { readonly commitError?: Promise<never> };
  if (commitError === undefined) return told(cause);
  const unknown = turn().then(() => told(cause));
  return Promise.race([commitError.catch(told), unknown]);
}
