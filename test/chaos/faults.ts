/** The faults of a chaos run. Each is made while records flow; what it broke is whole again when it resolves, or heals by itself. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService } from '../e2e/services.ts';
import type { ServerOfWorld, World } from './world.ts';

/** What a fault can reach. */
export interface Scene {
  readonly world: World;
  /** Those that run; a fault that kills one starts another. */
  readonly forecasters: RunningService[];
  readonly ingests: RunningService[];
  startForecaster(): Promise<RunningService>;
  startIngest(): Promise<RunningService>;
  /** Resolves when every shard has moved on; what it took, ms. */
  progress(): Promise<number>;
}

export interface Fault {
  readonly name: string;
  readonly forecasters: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves with the times from a fault to the next commit of every shard, where a failover is measured. */
  inject(scene: Scene): Promise<readonly number[]>;
}

/** `kills` forecasters in a row, each replaced before the next. */
export function killsInARow(kills: number): Fault {
  return {
    name: `${kills} forecasters killed in a row`,
    forecasters: 2,
    async inject(scene) {
      const times: number[] = [];
      for (let i = 0; i < kills; i += 1) {
        times.push(...(await killForecaster(scene)));
        await scene.startForecaster();
        await scene.progress();
      }
      return times;
    },
  };
}

/** Under load for so long that the shard logs fill up and ingest has to hold back. */
export function longOutages(seconds: number): Fault[] {
  // Small logs: the bound is reached within the outage.
  const env = { TIDELINE_LOG_BYTES_MAX: '262144' };
  return [
    {
      name: `InfluxDB away for ${seconds} s`,
      ...{ forecasters: 1, env },
      async inject({ world }) {
        world.proxies.influx.refuse();
        await sleep(seconds * 1_000);
        world.proxies.influx.heal();
        return [];
      },
    },
    {
      name: `the only forecaster stands still for ${seconds} s`,
      ...{ forecasters: 1, env },
      async inject({ forecasters: [forecaster] }) {
        process.kill(forecaster.pid, 'SIGSTOP');
        await sleep(seconds * 1_000);
        process.kill(forecaster.pid, 'SIGCONT');
        return [];
      },
    },
  ];
}

/** How long a server or a way to it stays away. */
const OUTAGE_MS = 4_000;
/** Longer than Kafka's session of an ingest and than a ticket's lease. */
const PAUSE_MS = 8_000;

export const FAULTS: readonly Fault[] = [
  { name: 'none', forecasters: 1, inject: () => Promise.resolve([]) },
  { name: 'forecaster killed, another stands by', forecasters: 2, inject: killForecaster },
  {
    name: 'only forecaster killed, started again',
    forecasters: 1,
    async inject(scene) {
      await scene.forecasters.pop()?.kill();
      const from = performance.now();
      await scene.startForecaster();
      await scene.progress();
      return [performance.now() - from];
    },
  },
  {
    name: 'forecaster paused, wakes as a zombie',
    forecasters: 2,
    inject: (scene) => pause(scene.forecasters[0]),
  },
  { name: 'ingest paused, wakes as a zombie', forecasters: 1, inject: (scene) => pause(scene.ingests[0]) },
  {
    name: 'ingest killed, started again',
    forecasters: 1,
    async inject(scene) {
      await scene.ingests.pop()?.kill();
      await scene.startIngest();
      return [];
    },
  },
  {
    name: 'ingest with its own share killed, started again',
    forecasters: 1,
    env: { TIDELINE_INGEST_SHARE: '1/1' },
    async inject(scene) {
      await scene.ingests.pop()?.kill();
      const from = performance.now();
      await scene.startIngest();
      await scene.progress();
      return [performance.now() - from];
    },
  },
  {
    name: 'forecaster stopped, another stands by',
    forecasters: 2,
    async inject(scene) {
      const stopped = scene.forecasters.shift();
      const [moved] = await Promise.all([scene.progress(), stopped?.stop()]);
      return [moved];
    },
  },
  {
    name: 'a second ingest joins and leaves',
    forecasters: 1,
    async inject(scene) {
      const second = await scene.startIngest();
      await scene.progress();
      scene.ingests.splice(scene.ingests.indexOf(second), 1);
      await second.stop();
      return [];
    },
  },
  {
    name: 'three forecasters compete under leases of half a second',
    forecasters: 3,
    env: { TIDELINE_LOCK_DURATION_MS: '500', TIDELINE_STALLED_INTERVAL_MS: '250', TIDELINE_SLICE_RECORDS_MAX: '100' },
    inject: killForecaster,
  },
  { name: 'Redis killed, started again', forecasters: 1, inject: ({ world }) => nothing(world.crash('redis')) },
  { name: 'Redis loses its last second', forecasters: 1, inject: loseLastSecond },
  { name: 'Redis loses everything', forecasters: 1, inject: ({ world }) => nothing(world.redis('FLUSHALL')) },
  { name: 'Redis is full', forecasters: 1, inject: fillRedis },
  { name: 'Kafka killed, started again', forecasters: 1, inject: ({ world }) => nothing(world.crash('kafka')) },
  { name: 'InfluxDB killed, started again', forecasters: 1, inject: ({ world }) => nothing(world.crash('influx')) },
  ...(['redis', 'influx', 'kafka'] as const).flatMap(networkFaults),
];

function networkFaults(server: ServerOfWorld): Fault[] {
  const fault = (name: string, inject: (scene: Scene) => Promise<unknown>): Fault => ({
    name: `connections to ${server} ${name}`,
    forecasters: 1,
    inject: (scene) => nothing(inject(scene)),
  });
  return [
    fault('cut', async ({ world }) => world.proxies[server].cut()),
    fault('half open', async ({ world }) => world.proxies[server].halfOpen()),
    fault('stalled', ({ world }) => outage(world, server, 'stall')),
    fault('refused', ({ world }) => outage(world, server, 'refuse')),
  ];
}

async function outage(world: World, server: ServerOfWorld, kind: 'stall' | 'refuse'): Promise<void> {
  world.proxies[server][kind]();
  await sleep(OUTAGE_MS);
  world.proxies[server].heal();
}

async function nothing(work: Promise<unknown>): Promise<readonly number[]> {
  await work;
  return [];
}

async function killForecaster(scene: Scene): Promise<readonly number[]> {
  await scene.forecasters.shift()?.kill();
  return [await scene.progress()];
}

async function pause(service: RunningService): Promise<readonly number[]> {
  process.kill(service.pid, 'SIGSTOP');
  await sleep(PAUSE_MS);
  process.kill(service.pid, 'SIGCONT');
  return [];
}

/** Redis comes back with the files that it had a second before the crash. */
async function loseLastSecond({ world }: Scene): Promise<readonly number[]> {
  const copy = join(world.folder, 'redis-copy');
  await world.copyRedis(copy);
  await sleep(1_000);
  await world.crash('redis', async (folder) => {
    await rm(folder, { recursive: true });
    await cp(copy, folder, { recursive: true });
  });
  return [];
}

/** Every write is refused for a while (OOM); `noeviction` keeps what is there. */
async function fillRedis({ world }: Scene): Promise<readonly number[]> {
  await world.redis('CONFIG', 'SET', 'maxmemory', '1');
  await sleep(OUTAGE_MS);
  await world.redis('CONFIG', 'SET', 'maxmemory', '0');
  return [];
}
