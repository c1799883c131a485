/** Peak memory of a run: what back-pressure has to bound. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShardStore } from '@tideline/pipeline';
import type { RunningService } from '../e2e/services.ts';
import type { World } from './world.ts';

export interface MemoryPeaks {
  /** Resident memory of the largest service, MB. */
  readonly serviceMb: number;
  /** Redis's used_memory, MB. */
  readonly redisMb: number;
  /** Log of the shard that had the longest, KiB. */
  readonly logKib: number;
}

/** What a run may take at most, whatever the fault. The log's bound is the run's own configuration. */
export const MEMORY_BOUNDS = { serviceMb: 400, redisMb: 64 } as const;

const SAMPLE_MS = 500;

/** Samples until `stop` is called, which resolves with the peaks. A Redis that is away is left out. */
export function watchMemory(run: {
  readonly world: World;
  readonly services: readonly RunningService[];
  readonly store: Pick<ShardStore, 'status'>;
}): { stop(): Promise<MemoryPeaks> } {
  const { world, services, store } = run;
  const end = new AbortController();
  let serviceMb = 0;
  let redisMb = 0;
  let logBytes = 0;
  const watching = (async () => {
    while (!end.signal.aborted) {
      for (const { pid } of services) serviceMb = Math.max(serviceMb, await residentMb(pid));
      redisMb = Math.max(redisMb, await redisUsedMb(world));
      for (const shard of await store.status().catch(() => [])) logBytes = Math.max(logBytes, shard.logBytes);
      await sleep(SAMPLE_MS, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      end.abort();
      await watching;
      return {
        serviceMb: Math.round(serviceMb),
        redisMb: Math.round(redisMb * 10) / 10,
        logKib: Math.ceil(logBytes / 1_024),
      };
    },
  };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024;
}

async function redisUsedMb(world: World): Promise<number> {
  const report = String(await world.redis('INFO', 'memory').catch(() => ''));
  return Number(/^used_memory:(\d+)/m.exec(report)?.[1] ?? 0) / 1_048_576;
}
