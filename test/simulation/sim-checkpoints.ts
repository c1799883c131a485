/** Ingest's checkpoints in a simulated process: the service's own code over the simulated store, topic and clock. */
import { type Checkpoints, createCheckpoints } from '@tideline/ingest';

import type { Site } from './nodes.ts';
import { createSimCheckpointLog } from './sim-checkpoint-log.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimStore } from './sim-redis.ts';

export function createSimCheckpoints(
  { world, kafka, checker, settings, sabotage }: Site,
  parts: { readonly process: SimProcess; readonly store: SimStore; readonly signal: AbortSignal },
): Checkpoints {
  const { process, store, signal } = parts;
  const log = createSimCheckpointLog(process, kafka, checker);
  const say = (fields: Readonly<Record<string, unknown>>, message: string): void =>
    world.note(`${process.name} ${fields.shard} ${message}`);
  return createCheckpoints({
    store,
    log: sabotage.checkpoints?.(log) ?? log,
    intervalMs: settings.checkpointIntervalMs,
    bytesPerSecond: settings.checkpointBytesPerSecond,
    restore: !sabotage.hasNoRestore,
    endOf: (shard) => process.call(kafka, 'end', () => kafka.high(shard)),
    sleep: process.sleep,
    nowMs: () => world.nowMs,
    wallMs: () => Math.round(world.nowMs),
    logger: { debug: say, info: say, warn: say } as never,
    metrics: { counter: () => ({ inc: () => undefined }) as never },
    signal,
  });
}
