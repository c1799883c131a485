/**
 * `up.json`: what `tideline up` started, so that `tideline down` stops exactly that.
 * A process is stopped only where its pid still belongs to the process that was written down (start time and command line).
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess, stopProcess } from './process-identity.ts';

/** One process of a running system. */
export interface UpProcess {
  /** `kafka`, `redis`, `influx`, `ingest`, … */
  readonly name: string;
  readonly pid: number;
  /** From `identifyProcess`. */
  readonly identity: string;
  readonly address: string;
  readonly logFile: string;
}

export interface UpState {
  readonly version: 1;
  /** In the order of their start; stopped in reverse. */
  readonly processes: readonly UpProcess[];
}

export interface DownResult {
  readonly stopped: readonly string[];
  /** No longer running, or its pid belongs to another program now. */
  readonly gone: readonly string[];
}

const STATE_FILE = 'up.json';

/** Reads the state of a folder; null where nothing was started from it. */
export async function readUpState(folder: string): Promise<UpState | null> {
  const file = join(folder, STATE_FILE);
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const state = JSON.parse(text) as UpState;
    if (state.version !== 1 || !Array.isArray(state.processes)) throw new Error('unknown version');
    return state;
  } catch (cause) {
    throw new Error(`${file} cannot be read. Stop the processes by hand and delete it.`, { cause });
  }
}

/** Writes the state at once or not at all. The file may hold addresses with a password: mode 600. */
export async function writeUpState(folder: string, processes: readonly UpProcess[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, STATE_FILE);
  const state: UpState = { version: 1, processes };
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Names of the processes that still run. */
export async function runningProcesses(state: UpState): Promise<readonly UpProcess[]> {
  const running: UpProcess[] = [];
  for (const entry of state.processes) if (await isSame(entry)) running.push(entry);
  return running;
}

/** Stops everything that the state names, last started first, and removes the file. Null where there is none. */
export async function stopUp(folder: string): Promise<DownResult | null> {
  const state = await readUpState(folder);
  if (state === null) return null;
  const stopped: string[] = [];
  const gone: string[] = [];
  for (const entry of [...state.processes].reverse()) {
    if (await isSame(entry)) {
      await stopProcess(entry.pid, 'SIGTERM');
      stopped.push(entry.name);
    } else gone.push(entry.name);
  }
  await rm(join(folder, STATE_FILE), { force: true });
  return { stopped, gone };
}

async function isSame(entry: UpProcess): Promise<boolean> {
  return (await identifyProcess(entry.pid)) === entry.identity;
}
