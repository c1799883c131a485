/** Services as separate processes on the shared servers, each with its own topics, Redis prefix and database. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '@tideline/runtime';
import { stackAddresses, uniqueName } from '../stack/index.ts';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** A service that runs until the test ends it. */
export interface RunningService extends AsyncDisposable {
  readonly pid: number;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** What it has logged so far. */
  log(): string;
}

export type ServiceEnvironment = Readonly<Record<string, string>>;

/** The shared servers, with a consumer group and a dead letter topic of this test alone; topics, Redis prefix and database are the test's to name. */
export function ownEnvironment() {
  const { kafka, redis, influx } = stackAddresses();
  return {
    TIDELINE_KAFKA_BROKERS: kafka,
    TIDELINE_REDIS_URL: redis,
    TIDELINE_INFLUX_URL: influx,
    TIDELINE_KAFKA_GROUP: uniqueName('ingest'),
    TIDELINE_DEAD_LETTER_TOPIC: uniqueName('dead-letters'),
    TIDELINE_ENGINE: 'simd',
  };
}

/** Where a gateway that is ready listens. */
export function addressOf(gateway: RunningService): string {
  return /"url":"([^"]+)"/.exec(gateway.log())?.[1] ?? '';
}

/** Starts a service's `main` and waits until it says that it is ready. */
export async function startService(
  name: 'ingest' | 'forecaster' | 'gateway',
  env: ServiceEnvironment,
  nodeFlags: readonly string[] = [],
): Promise<RunningService> {
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, ...nodeFlags, join(ROOT, 'services', name, 'dist', 'main.js')],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let log = '';
  const exited = once(child, 'exit') as Promise<[number | null]>;
  await new Promise<void>((resolve, reject) => {
    const failed = (): void => reject(new Error(`${name} ended before it was ready:\n${log}`));
    child.once('exit', failed);
    child.stderr?.on('data', (part: Buffer) => {
      log += part.toString('utf8');
      if (!/is ready\./.test(log)) return;
      child.off('exit', failed);
      resolve();
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (isRunning(child)) child.kill(signal);
    const [code] = await exited;
    return code;
  };
  return {
    pid: child.pid ?? 0,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    log: () => log,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
