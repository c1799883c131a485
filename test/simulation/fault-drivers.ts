/** Starts the faults that strike once in a while, whatever is going on. */
import type { FaultKind } from './fault-plan.ts';
import type { Node, Site } from './nodes.ts';

/** What Redis can lose at most where it comes back (appendfsync everysec). */
export const LAST_SECOND_MS = 1_000;

/** `nodes` gives the living processes of a role. */
export function startFaults(site: Site, nodes: (role: 'ingest' | 'forecaster') => readonly Node[]): void {
  const { world, redis, kafka, influx } = site;
  const { chance } = world;
  const stopOne = (role: 'ingest' | 'forecaster'): void => {
    const living = nodes(role);
    if (living.length === 0) return;
    // A signal reaches a process when its code runs.
    const node = chance.pick(living);
    node.process.resume(0, 'told to stop', () => node.stop());
  };
  const strikes: Partial<Record<FaultKind, () => unknown>> = {
    'stop-forecaster': () => stopOne('forecaster'),
    'stop-ingest': () => stopOne('ingest'),
    'redis-down': () => redis.stopFor(chance.magnitude(50, 4_000)),
    'redis-rollback': () => {
      redis.lose(world.nowMs - chance.number() * LAST_SECOND_MS);
      redis.stopFor(chance.magnitude(1, 1_000));
    },
    'redis-erased': () => {
      redis.lose(0);
      redis.stopFor(chance.magnitude(1, 1_000));
    },
    'influx-down': () => influx.stopFor(chance.magnitude(50, 8_000)),
    'kafka-down': () => kafka.stopFor(chance.magnitude(50, 4_000)),
    rebalance: () => kafka.rebalance(),
    retention: () => kafka.trim(),
    compaction: () => kafka.checkpoints.compact(chance.whole(0, kafka.checkpoints.partitions - 1), chance.is(0.5)),
    'clock-jump': () => {
      if (chance.is(0.5)) redis.jumpClock(chance.whole(-5_000, 20_000));
      else world.setPace(chance.magnitude(0.02, 5));
    },
  };
  for (const [kind, strike] of Object.entries(strikes) as [FaultKind, () => unknown][]) {
    const plan = (): void => {
      const ms = world.faults.nextMs(kind);
      if (ms === null) return;
      world.scheduler.after(ms, `fault ${kind}`, () => {
        if (world.faults.isOver) return;
        // Some come to nothing.
        if (strike() !== false) world.faults.count(kind);
        plan();
      });
    };
    plan();
  }
}
