import { join, resolve } from 'node:path';
import { startInflux } from './influx.ts';
import { SERVER_NAMES, type ServerName } from './install.ts';
import { startKafka } from './kafka.ts';
import { startRedis } from './redis.ts';
import type { RunningServer } from './server-process.ts';

export interface StackOptions {
  /** Each server gets a folder of its name below. */
  readonly folder: string;
  /** Fixed ports; a server that is not named gets a free one. */
  readonly ports?: Partial<Record<ServerName, number>>;
  /** Which servers; default all. */
  readonly servers?: readonly ServerName[];
  readonly detached?: boolean;
  readonly redisPassword?: string;
  readonly kafkaHeapMb?: number;
  readonly cacheFolder?: string;
}

/** Servers that run, in the order of their start. */
export interface Stack extends AsyncDisposable {
  readonly servers: readonly RunningServer[];
  /** Addresses by name; only those that were started. */
  readonly addresses: Partial<Record<ServerName, string>>;
  /** Stops all of them, every one even where another fails. Idempotent. */
  stop(): Promise<void>;
}

/** Starts the servers side by side. Where one cannot start, the others are stopped and its error is thrown. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const names = SERVER_NAMES.filter((name) => (options.servers ?? SERVER_NAMES).includes(name));
  const started = await Promise.allSettled(names.map((name) => startOne(name, options)));
  const servers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failures = started.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const stop = () => stopAll(servers);
  if (failures.length > 0) {
    await stop();
    throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'Several servers could not start.');
  }
  const addresses = Object.fromEntries(servers.map((server) => [server.name, server.address]));
  return { servers, addresses, stop, [Symbol.asyncDispose]: stop };
}

async function stopAll(servers: readonly RunningServer[]): Promise<void> {
  const results = await Promise.allSettled(servers.map((server) => server.stop()));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, 'Some servers could not be stopped.');
}

function startOne(name: ServerName, options: StackOptions): Promise<RunningServer> {
  const port = options.ports?.[name];
  const base = {
    folder: join(resolve(options.folder), name),
    detached: options.detached ?? false,
    ...(port === undefined ? {} : { port }),
  };
  if (name === 'redis')
    return startRedis({ ...base, ...(options.redisPassword === undefined ? {} : { password: options.redisPassword }) });
  if (name === 'influx') return startInflux(base);
  return startKafka({
    ...base,
    ...(options.kafkaHeapMb === undefined ? {} : { heapMb: options.kafkaHeapMb }),
    ...(options.cacheFolder === undefined ? {} : { cacheFolder: options.cacheFolder }),
  });
}
