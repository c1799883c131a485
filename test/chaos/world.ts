/** The servers of a chaos run: its own, each behind a proxy, so that faults of servers and of the network can be made on purpose. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureInstalled, freePort, type RunningServer, startInflux, startKafka, startRedis } from '@tideline/native';
import { Redis } from 'ioredis';
import { openTcpProxy, type TcpProxy } from '../stack/tcp-proxy.ts';

export type ServerOfWorld = 'kafka' | 'redis' | 'influx';

export interface World extends AsyncDisposable {
  readonly proxies: Readonly<Record<ServerOfWorld, TcpProxy>>;
  /** Addresses behind the proxies, for the services. */
  readonly addresses: Readonly<Record<ServerOfWorld, string>>;
  /** Addresses of the servers themselves, for the observer. Kafka's clients are always led through its proxy. */
  readonly direct: Readonly<Record<ServerOfWorld, string>>;
  /** SIGKILL; runs `meanwhile` on the dead server's folder, then starts it again on its data. */
  crash(name: ServerOfWorld, meanwhile?: (folder: string) => Promise<void>): Promise<void>;
  /** Copies Redis's files as they are now, while it goes on. */
  copyRedis(to: string): Promise<void>;
  redis(...command: readonly string[]): Promise<unknown>;
  readonly folder: string;
}

/** Starts Kafka, Redis and InfluxDB in `folder`. */
export async function startWorld(folder: string): Promise<World> {
  await ensureInstalled({
    servers: ['kafka', 'redis', 'influx'],
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const ports = { kafka: await freePort(), redis: await freePort(), influx: await freePort() };
  const proxies = {
    kafka: await openTcpProxy({ port: ports.kafka }),
    redis: await openTcpProxy({ port: ports.redis }),
    influx: await openTcpProxy({ port: ports.influx }),
  };
  const folders = { kafka: join(folder, 'kafka'), redis: join(folder, 'redis'), influx: join(folder, 'influx') };
  const start = {
    kafka: () => startKafka({ folder: folders.kafka, port: ports.kafka, advertisedPort: proxies.kafka.port }),
    redis: () => startRedis({ folder: folders.redis, port: ports.redis }),
    influx: () => startInflux({ folder: folders.influx, port: ports.influx }),
  };
  const [kafka, redis, influx] = await Promise.all([start.kafka(), start.redis(), start.influx()]);
  const running: Record<ServerOfWorld, RunningServer> = { kafka, redis, influx };
  const url = (name: ServerOfWorld, port: number): string =>
    ({ kafka: `127.0.0.1:${port}`, redis: `redis://127.0.0.1:${port}`, influx: `http://127.0.0.1:${port}` })[name];
  const all = (port: (name: ServerOfWorld) => number): Record<ServerOfWorld, string> => ({
    kafka: url('kafka', port('kafka')),
    redis: url('redis', port('redis')),
    influx: url('influx', port('influx')),
  });
  return {
    proxies,
    folder,
    addresses: all((name) => proxies[name].port),
    direct: all((name) => ports[name]),
    async crash(name, meanwhile) {
      await running[name].kill();
      await meanwhile?.(folders[name]);
      running[name] = await start[name]();
    },
    async copyRedis(to) {
      await rm(to, { recursive: true, force: true });
      await cp(folders.redis, to, { recursive: true });
    },
    async redis(command, ...args) {
      const client = new Redis(ports.redis, '127.0.0.1');
      try {
        return await client.call(command, ...args);
      } finally {
        client.disconnect();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const name of ['kafka', 'redis', 'influx'] as const) {
        await proxies[name][Symbol.asyncDispose]();
        await running[name].kill();
      }
    },
  };
}
