/** The faults of a chaos run. Each is made while records flow; what it broke is whole again when it resolves, or heals by itself. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService } from '../e2e/services.ts';
import type { Holder } from './holder.ts';
import type { ServerOfWorld, World } from './world.ts';

/** What a fault can reach. */
export interface Scene {
  readonly world: World;
  /** Those that run; a fault that kills one starts another. */
  readonly forecasters: RunningService[];
  readonly ingests: RunningService[];
  startForecaster(): Promise<RunningService>;
  startIngest(): Promise<RunningService>;
  /** Stops (SIGSTOP) a forecaster that holds a shard with work under way. */
  stopHolder(): Promise<Holder>;
  /** Position of each partition's shard; 0 where the store does not know it. */
  positions(): Promise<readonly number[]>;
  /** Resolves when the shards have been committed beyond `beyond` (default: where they are now); what it took, ms. */
  progress(options?: { readonly partitions?: readonly number[]; readonly beyond?: readonly number[] }): Promise<number>;
}

/**
 * Times from a fault to the next commit, ms. `failoverMs`: of the shards that a forecaster surely held when it was killed; the others: of every shard.
 * `killMs`: a forecaster killed at any moment; `handoverMs`: one told to stop; `restartMs`: a service started again; `rebuildMs`: Redis erased.
 */
export type Times = Readonly<Partial<Record<(typeof TIMES)[number], readonly number[]>>>;
export const TIMES = ['failoverMs', 'killMs', 'handoverMs', 'restartMs', 'rebuildMs'] as const;

export type FaultKind = 'none' | 'process' | 'server' | 'network' | 'outage' | 'group';

export interface Fault {
  readonly name: string;
  readonly kind: FaultKind;
  /** How often it is made in a run; default 1. */
  readonly count?: number;
  readonly forecasters: number;
  readonly env?: Readonly<Record<string, string>>;
  inject(scene: Scene): Promise<Times>;
}

/** `kills` forecasters in a row, each while it holds a shard, and each replaced before the next. */
export function killsInARow(kills: number): Fault {
  return {
    name: `${kills} forecasters killed in a row, each while it holds a shard`,
    ...{ kind: 'process', count: kills, forecasters: 2 },
    async inject(scene) {
      const failoverMs: number[] = [];
      for (let i = 0; i < kills; i += 1) {
        const { service, partitions, atMs } = await scene.stopHolder();
        scene.forecasters.splice(scene.forecasters.indexOf(service), 1);
        await service.kill();
        await scene.progress({ partitions });
        failoverMs.push(performance.now() - atMs);
        await scene.startForecaster();
        await scene.progress();
      }
      return { failoverMs };
    },
  };
}

/** Redis erased again and again: each time the shards come back from their newest checkpoints. */
export function erasuresInARow(erasures: number): Fault {
  return {
    name: `Redis erased ${erasures} times in a row`,
    ...{ kind: 'server', count: erasures, forecasters: 1, env: { TIDELINE_CHECKPOINT_INTERVAL_MS: '500' } },
    async inject(scene) {
      const rebuildMs: number[] = [];
      for (let i = 0; i < erasures; i += 1) {
        const beyond = await scene.positions();
        await scene.world.redis('FLUSHALL');
        rebuildMs.push(await scene.progress({ beyond }));
      }
      return { rebuildMs };
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
      ...{ kind: 'outage', forecasters: 1, env },
      async inject({ world }) {
        world.proxies.influx.refuse();
        await sleep(seconds * 1_000);
        world.proxies.influx.heal();
        return {};
      },
    },
    {
      name: `the only forecaster stands still for ${seconds} s`,
      ...{ kind: 'outage', forecasters: 1, env },
      async inject({ forecasters: [forecaster] }) {
        process.kill(forecaster.pid, 'SIGSTOP');
        await sleep(seconds * 1_000);
        process.kill(forecaster.pid, 'SIGCONT');
        return {};
      },
    },
  ];
}

/** How long a server or a way to it stays away. */
const OUTAGE_MS = 4_000;
/** Longer than Kafka's session of an ingest and than a ticket's lease. */
const PAUSE_MS = 8_000;

export const FAULTS: readonly Fault[] = [
  { name: 'none', kind: 'none', forecasters: 1, inject: () => Promise.resolve({}) },
  { name: 'forecaster killed, another stands by', kind: 'process', forecasters: 2, inject: killForecaster },
  {
    name: 'only forecaster killed, started again',
    kind: 'process',
    forecasters: 1,
    async inject(scene) {
      await scene.forecasters.pop()?.kill();
      const from = performance.now();
      await scene.startForecaster();
      await scene.progress();
      return { restartMs: [performance.now() - from] };
    },
  },
  {
    name: 'forecaster paused, wakes as a zombie',
    kind: 'process',
    forecasters: 2,
    inject: (scene) => pause(scene.forecasters[0]),
  },
  {
    name: 'ingest paused, wakes as a zombie',
    kind: 'process',
    forecasters: 1,
    inject: (scene) => pause(scene.ingests[0]),
  },
  {
    name: 'ingest killed, started again',
    kind: 'process',
    forecasters: 1,
    async inject(scene) {
      await scene.ingests.pop()?.kill();
      await scene.startIngest();
      return {};
    },
  },
  {
    name: 'ingest with its own share killed, started again',
    kind: 'process',
    forecasters: 1,
    env: { TIDELINE_INGEST_SHARE: '1/1' },
    async inject(scene) {
      await scene.ingests.pop()?.kill();
      const from = performance.now();
      await scene.startIngest();
      await scene.progress();
      return { restartMs: [performance.now() - from] };
    },
  },
  {
    name: 'forecaster stopped, another stands by',
    kind: 'process',
    forecasters: 2,
    async inject(scene) {
      const stopped = scene.forecasters.shift();
      const [moved] = await Promise.all([scene.progress(), stopped?.stop()]);
      return { handoverMs: [moved] };
    },
  },
  {
    name: 'a second ingest joins and leaves',
    kind: 'group',
    forecasters: 1,
    async inject(scene) {
      const second = await scene.startIngest();
      await scene.progress();
      scene.ingests.splice(scene.ingests.indexOf(second), 1);
      await second.stop();
      return {};
    },
  },
  {
    name: 'three forecasters compete under leases of half a second',
    kind: 'group',
    forecasters: 3,
    env: { TIDELINE_LOCK_DURATION_MS: '500', TIDELINE_STALLED_INTERVAL_MS: '250', TIDELINE_SLICE_RECORDS_MAX: '100' },
    inject: killForecaster,
  },
  {
    name: 'Redis killed, started again',
    kind: 'server',
    forecasters: 1,
    inject: ({ world }) => nothing(world.crash('redis')),
  },
  { name: 'Redis loses its last second', kind: 'server', forecasters: 1, inject: loseLastSecond },
  {
    name: 'Redis loses everything',
    kind: 'server',
    forecasters: 1,
    inject: ({ world }) => nothing(world.redis('FLUSHALL')),
  },
  { name: 'Redis is full', kind: 'server', forecasters: 1, inject: fillRedis },
  {
    name: 'Kafka killed, started again',
    kind: 'server',
    forecasters: 1,
    inject: ({ world }) => nothing(world.crash('kafka')),
  },
  {
    name: 'InfluxDB killed, started again',
    kind: 'server',
    forecasters: 1,
    inject: ({ world }) => nothing(world.crash('influx')),
  },
  ...(['redis', 'influx', 'kafka'] as const).flatMap(networkFaults),
];

function networkFaults(server: ServerOfWorld): Fault[] {
  const fault = (name: string, inject: (scene: Scene) => Promise<unknown>): Fault => ({
    name: `connections to ${server} ${name}`,
    kind: 'network',
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

async function nothing(work: Promise<unknown>): Promise<Times> {
  await work;
  return {};
}

async function killForecaster(scene: Scene): Promise<Times> {
  await scene.forecasters.shift()?.kill();
  return { killMs: [await scene.progress()] };
}

async function pause(service: RunningService): Promise<Times> {
  process.kill(service.pid, 'SIGSTOP');
  await sleep(PAUSE_MS);
  process.kill(service.pid, 'SIGCONT');
  return {};
}

/** Redis comes back with the files that it had a second before the crash. */
async function loseLastSecond({ world }: Scene): Promise<Times> {
  const copy = join(world.folder, 'redis-copy');
  await world.copyRedis(copy);
  await sleep(1_000);
  await world.crash('redis', async (folder) => {
    await rm(folder, { recursive: true });
    await cp(copy, folder, { recursive: true });
  });
  return {};
}

/** Every write is refused for a while (OOM); `noeviction` keeps what is there. */
async function fillRedis({ world }: Scene): Promise<Times> {
  await world.redis('CONFIG', 'SET', 'maxmemory', '1');
  await sleep(OUTAGE_MS);
  await world.redis('CONFIG', 'SET', 'maxmemory', '0');
  return {};
}
