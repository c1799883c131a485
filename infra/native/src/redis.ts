import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findProgram } from './find-program.ts';
import { assertPortFree, freePort } from './free-port.ts';
import { probeRedis } from './probe.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

export interface RedisOptions {
  readonly folder: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly detached?: boolean;
  readonly password?: string;
}

const READY_DEADLINE_MS = 20_000;

/** Starts Redis on 127.0.0.1: every write in the append-only file, nothing ever evicted (BullMQ and the shard log rely on both). */
export async function startRedis(options: RedisOptions): Promise<RunningServer> {
  const folder = resolve(options.folder);
  const command = await findProgram('redis-server');
  if (options.password !== undefined && /[\s"\\]/.test(options.password))
    throw new Error('Redis: the password must hold no space, quotation mark or backslash.');
  await mkdir(folder, { recursive: true });
  if (options.port !== undefined) await assertPortFree(options.port, 'Redis');
  const port = options.port ?? (await freePort());
  const configFile = join(folder, 'redis.conf');
  // In a file of mode 600, not on the command line, which every user of the machine can read.
  await writeFile(configFile, redisConfig({ folder, port, password: options.password }), { mode: 0o600 });
  const login = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  return startServerProcess({
    name: 'redis',
    address: `redis://${login}127.0.0.1:${port}`,
    port,
    command,
    args: [configFile],
    logFile: join(folder, 'redis.log'),
    detached: options.detached ?? false,
    probe: () => probeRedis(port, options.password),
    readyDeadlineMs: READY_DEADLINE_MS,
  });
}

function redisConfig(at: {
  readonly folder: string;
  readonly port: number;
  readonly password: string | undefined;
}): string {
  return `${[
    'bind 127.0.0.1',
    `port ${at.port}`,
    'protected-mode yes',
    'daemonize no',
    `dir "${at.folder}"`,
    'appendonly yes',
    'appendfsync everysec',
    // States are numbers, which do not compress, and each batch writes them anew: rewriting the file at every doubling took a quarter of Redis's time.
    'rdbcompression no',
    'auto-aof-rewrite-percentage 300',
    'auto-aof-rewrite-min-size 256mb',
    'save ""',
    'maxmemory-policy noeviction',
    ...(at.password === undefined ? [] : [`requirepass "${at.password}"`]),
  ].join('\n')}\n`;
}
