/**
 * One server as a child process: started with its output in a log file, ready when it answers its own protocol, stopped by its pid.
 *
 * A server that is not detached dies with its starter even where the starter is killed (Linux, `setpriv --pdeathsig`), so that no test run
 * leaves one behind.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess, stopProcess } from './process-identity.ts';

/** A server that runs. */
export interface RunningServer extends AsyncDisposable {
  /** `kafka`, `redis`, `influx`. */
  readonly name: string;
  /** What a client is given: `127.0.0.1:9092`, `redis://127.0.0.1:6379`, `http://127.0.0.1:8086`. */
  readonly address: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** Distinguishes this process from a later one of the same pid. */
  readonly identity: string;
  /** Asks it to end (SIGTERM) and waits; after `STOP_DEADLINE_MS` it is killed. Idempotent. */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL), as a crash would. Idempotent. */
  kill(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; default: the starter's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Survives the starter. */
  readonly detached: boolean;
  /** One attempt to talk to the server: resolves when it is ready, rejects when it is not. */
  readonly probe: () => Promise<void>;
  readonly readyDeadlineMs: number;
}

const SETPRIV = '/usr/bin/setpriv';
const PROBE_INTERVAL_MS = 50;
const LOG_TAIL_CHARS = 2_000;

/** Starts the process and waits until it is ready. Throws with the end of its log where it ends or the deadline passes; nothing runs then. */
export async function startServerProcess(options: ServerProcessOptions): Promise<RunningServer> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const child = spawnServer(options);
  const pid = child.pid;
  if (pid === undefined) throw await spawnError(child, options);
  try {
    await waitReady(child, options);
  } catch (error) {
    await stopProcess(pid, 'SIGKILL');
    throw error;
  }
  if (options.detached) child.unref();
  const end = (signal: 'SIGTERM' | 'SIGKILL') => stopProcess(pid, signal, hasExited(child));
  const { name, address, port, logFile } = options;
  const identity = (await identifyProcess(pid)) ?? '';
  const stop = () => end('SIGTERM');
  return {
    name,
    address,
    port,
    pid,
    logFile,
    identity,
    stop,
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: stop,
  };
}

function spawnServer(options: ServerProcessOptions): ChildProcess {
  const tied = !options.detached && process.platform === 'linux' && existsSync(SETPRIV);
  const command = tied ? SETPRIV : options.command;
  const args = tied ? ['--pdeathsig', 'KILL', '--', options.command, ...options.args] : [...options.args];
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    // A group of its own keeps a Ctrl-C at the terminal from stopping the servers before their clients.
    const stdio: StdioOptions = ['ignore', log, log];
    return spawn(command, args, {
      detached: true,
      stdio,
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
    });
  } finally {
    closeSync(log);
  }
}

function hasExited(child: ChildProcess): () => boolean {
  return () => child.exitCode !== null || child.signalCode !== null;
}

async function waitReady(child: ChildProcess, options: ServerProcessOptions): Promise<void> {
  const deadline = Date.now() + options.readyDeadlineMs;
  const exited = hasExited(child);
  for (;;) {
    try {
      await options.probe();
      // Whoever answered on a port that was ours a moment ago must be our child.
      if (!exited()) return;
    } catch (error) {
      if (!exited() && Date.now() > deadline) throw await notReady(options, `was not ready in time`, error);
    }
    if (exited()) throw await notReady(options, `ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`);
    await sleep(PROBE_INTERVAL_MS);
  }
}

async function notReady(options: ServerProcessOptions, what: string, cause?: unknown): Promise<Error> {
  const log = await readFile(options.logFile, 'utf8').catch(() => '');
  return new Error(`${options.name} ${what}. End of ${options.logFile}:\n${log.slice(-LOG_TAIL_CHARS)}`, { cause });
}

function spawnError(child: ChildProcess, options: ServerProcessOptions): Promise<Error> {
  return new Promise((resolve) => {
    child.once('error', (cause) => {
      resolve(new Error(`${options.name}: ${options.command} cannot be started: ${cause.message}`, { cause }));
    });
  });
}
