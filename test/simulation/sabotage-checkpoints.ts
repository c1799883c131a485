/** Injected bugs of checkpoints and rebuilds. */
import type { CheckpointLog, CheckpointMarker, CheckpointWriter, ShardImage, StateChange } from '@tideline/pipeline';
import type { FaultKind } from './fault-plan.ts';
import type { NamedSabotage } from './sabotage.ts';
import { replace } from './sabotage.ts';
import type { SimStore } from './sim-redis.ts';

const REBUILDS: readonly FaultKind[] = ['redis-erased', 'retention'];
const TWO_WRITERS: readonly FaultKind[] = ['rebalance', 'reply-slow'];

export const CHECKPOINT_SABOTAGES: readonly NamedSabotage[] = [
  {
    name: 'a checkpoint written before the commit',
    faults: ['influx-down'],
    create: () => ({ ingestStore: positionAhead }),
  },
  {
    name: 'a checkpoint of mixed moments',
    faults: [],
    create: () => ({ checkpoints: writers(withOldMarker) }),
  },
  { name: 'a checkpoint cut in half', faults: [], create: () => ({ checkpoints: writers(visibleInParts) }) },
  { name: 'a checkpoint that loses a state', faults: [], create: () => ({ checkpoints: writers(loseOneIn(7)) }) },
  {
    name: 'a checkpoint that keeps a series that ended',
    faults: [],
    create: () => ({ checkpoints: writers(keepRemoved) }),
  },
  {
    name: 'writers of checkpoints without a fence',
    faults: TWO_WRITERS,
    settings: { ingests: 2, checkpointIntervalMs: 100, checkpointBytesPerSecond: 200 },
    create: () => ({ hasNoCheckpointFence: true }),
  },
  { name: 'a rebuild that skips a record', faults: REBUILDS, create: () => ({ ingestStore: skipOne }) },
  { name: 'a rebuild that forgets a state', faults: REBUILDS, create: () => ({ ingestStore: forgetState }) },
  { name: 'no rebuild where retention has gone on', faults: REBUILDS, create: () => ({ hasNoRestore: true }) },
  {
    name: 'reading on after a gap that retention left',
    faults: ['redis-rollback', 'retention'],
    create: () => ({ hasNoCatchUp: true }),
  },
];

function writers(
  breakIt: (writer: CheckpointWriter) => Partial<CheckpointWriter>,
): (log: CheckpointLog) => CheckpointLog {
  return (log) => ({
    begin: async (shard) => {
      const writer = await log.begin(shard);
      const whole = {
        write: writer.write.bind(writer),
        commit: writer.commit.bind(writer),
        close: writer.close.bind(writer),
      };
      return { ...whole, ...breakIt(whole) };
    },
    read: (shards, how) => log.read(shards, how),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  });
}

/** The position was read before the states. */
function withOldMarker(writer: CheckpointWriter): Partial<CheckpointWriter> {
  let before: CheckpointMarker | null = null;
  return {
    async commit(marker) {
      await writer.commit({ ...marker, position: before?.position ?? marker.position });
      before = marker;
    },
  };
}

/** No transaction: what is written is there at once. */
function visibleInParts(writer: CheckpointWriter): Partial<CheckpointWriter> {
  let newest: CheckpointMarker | null = null;
  return {
    async write(changes) {
      await writer.write(changes);
      if (newest !== null) await writer.commit(newest);
    },
    async commit(marker) {
      await writer.commit(marker);
      newest = marker;
    },
  };
}

function loseOneIn(n: number): (writer: CheckpointWriter) => Partial<CheckpointWriter> {
  let seen = 0;
  const isKept = (): boolean => {
    seen += 1;
    return seen % n !== 0;
  };
  return (writer) => ({ write: (changes) => writer.write(changes.filter(isKept)) });
}

function keepRemoved(writer: CheckpointWriter): Partial<CheckpointWriter> {
  return { write: (changes: readonly StateChange[]) => writer.write(changes.filter(({ bytes }) => bytes !== null)) };
}

/** What is in the log counts as if it were committed. */
function positionAhead(store: SimStore): SimStore {
  return replace(store, {
    async snapshot(shard, keys) {
      const found = await store.snapshot(shard, keys);
      const head = await store.head(shard);
      return found && { ...found, position: head ?? found.position };
    },
  });
}

function skipOne(store: SimStore): SimStore {
  return replace(store, {
    install: (image, options) => store.install({ ...image, position: image.position + 1 }, options),
  });
}

function forgetState(store: SimStore): SimStore {
  return replace(store, { install: (image, options) => store.install(withoutFirst(image), options) });
}

function withoutFirst(image: ShardImage): ShardImage {
  async function* states(): AsyncGenerator<{ readonly key: string; readonly bytes: Uint8Array }> {
    let isFirst = true;
    for await (const state of image.states) {
      if (!isFirst) yield state;
      isFirst = false;
    }
  }
  return { ...image, states: states() };
}
