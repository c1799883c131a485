/** Injected bugs: what the checkers must find. Each stands for a mistake that a pipeline of this kind can really have. */
import type { CheckpointLog, DeadLetterSink, PointSink, ShardStore, SourceBatch, StepBatch } from '@tideline/pipeline';
import type { FaultKind } from './fault-plan.ts';
import type { Settings } from './nodes.ts';
import type { SimEngine } from './sim-engine.ts';
import type { SimStore } from './sim-redis.ts';

/** Puts itself between a process and its ports, or into a server. */
export interface Sabotage {
  /** The store as Redis keeps it. */
  readonly server?: (store: SimStore) => SimStore;
  /** The store as a forecaster sees it. */
  readonly store?: (store: ShardStore) => ShardStore;
  readonly sink?: (sink: PointSink) => PointSink;
  readonly letters?: (letters: DeadLetterSink) => DeadLetterSink;
  readonly engine?: (engine: SimEngine) => SimEngine;
  /** The checkpoint log as an ingest sees it. */
  readonly checkpoints?: (log: CheckpointLog) => CheckpointLog;
  readonly fetch?: (batch: SourceBatch) => SourceBatch;
  /** The store as an ingest and its checkpoints see it. */
  readonly ingestStore?: (store: SimStore) => SimStore;
  /** Writers of checkpoints do not end those before them. */
  readonly hasNoCheckpointFence?: boolean;
  /** The store as the change of a model sees it. */
  readonly operatorStore?: (store: SimStore) => SimStore;
  /** A change of the model is not kept beyond the store. */
  readonly hasVolatileChange?: boolean;
  /** Forecasters take shards of another model. */
  readonly adoptsForeign?: boolean;
  readonly hasNoRestore?: boolean;
  readonly hasNoCatchUp?: boolean;
  readonly hasNoSweep?: boolean;
  readonly hasNoLogBound?: boolean;
}

export interface NamedSabotage {
  readonly name: string;
  /** Faults that bring the bug out; none: it shows in a straight run. */
  readonly faults: readonly FaultKind[];
  /** Settings that bring it out. */
  readonly settings?: Partial<Settings>;
  readonly create: () => Sabotage;
}

const TWO_OWNERS: readonly FaultKind[] = [
  'ticket-repeated',
  'pause-forecaster',
  'lock-lost',
  'lock-loss-unseen',
  'reply-slow',
];

export const PIPELINE_SABOTAGES: readonly NamedSabotage[] = [
  { name: 'a double step', faults: [], create: () => ({ engine: every(20, stepTwice) }) },
  { name: 'a lost record', faults: [], create: () => ({ fetch: loseOneIn(20) }) },
  { name: 'a repeated record', faults: [], create: () => ({ engine: every(5, runFirstRowTwice) }) },
  { name: 'a reordered wave', faults: [], create: () => ({ engine: runBackwards }) },
  { name: 'two series swapped in a wave', faults: [], create: () => ({ engine: every(5, swapInputs) }) },
  {
    name: 'a commit without the epoch check',
    faults: TWO_OWNERS,
    settings: { forecasters: 3, concurrency: 1, batchEntriesMax: 1 },
    create: () => ({ server: withoutCommitCheck }),
  },
  { name: 'reads without a fence', faults: TWO_OWNERS, create: () => ({ server: withoutFence }) },
  { name: 'an acknowledgement before the commit', faults: [], create: () => ({ store: acknowledgeEarly }) },
  { name: 'a commit before the sink accepted', faults: ['influx-down'], create: () => ({ sink: acceptEarly }) },
  { name: 'a torn commit', faults: [], create: () => ({ server: tearCommits }) },
  { name: 'a dead letter that is dropped', faults: [], create: () => ({ letters: dropLetters }) },
  { name: 'slots that leak', faults: TWO_OWNERS, create: () => ({ engine: leakSlots }) },
  { name: 'a log without its bound', faults: ['influx-down'], create: () => ({ hasNoLogBound: true }) },
  { name: 'no sweep for lost tickets', faults: ['ticket-lost'], create: () => ({ hasNoSweep: true }) },
];

/** The store with some methods replaced. */
export function replace<S extends ShardStore>(store: S, methods: Partial<S>): S {
  return new Proxy(store, {
    get: (_, name) => Reflect.get(methods, name) ?? (Reflect.get(store, name) as () => unknown).bind(store),
  });
}

/** Breaks every n-th step or run. */
function every(n: number, breakIt: (engine: SimEngine, batch: StepBatch) => unknown) {
  return (engine: SimEngine): SimEngine => {
    let calls = 0;
    const broken = (work: () => void | Promise<void>, batch: StepBatch): void | Promise<void> => {
      calls += 1;
      const done = work();
      if (calls % n !== 0) return done;
      const spoil = (): void => void breakIt(engine, batch);
      return done ? done.then(spoil) : spoil();
    };
    return override(engine, {
      step: (batch) => broken(() => engine.step(batch), batch),
      run: (run) => broken(() => engine.run(run), { ...run, slots: Uint32Array.from(run.rows, () => run.slot) }),
    });
  };
}

function override(engine: SimEngine, methods: Partial<SimEngine>): SimEngine {
  return Object.defineProperties(Object.create(engine), Object.getOwnPropertyDescriptors(methods));
}

function stepTwice(engine: SimEngine, { slots, rows, inputs, outputs }: StepBatch): unknown {
  return engine.step({ slots: slots.slice(-1), rows: rows.slice(-1), inputs, outputs });
}

function runFirstRowTwice(engine: SimEngine, { slots, rows, inputs, outputs }: StepBatch): unknown {
  return engine.run({ slot: slots[0], rows: rows.slice(0, 1), inputs, outputs });
}

/** After the fact: the states of two series change places. */
function swapInputs(engine: SimEngine, { slots }: StepBatch): void {
  const states = new Float32Array(2 * engine.stateSize);
  void engine.readStates([slots[0], slots[slots.length - 1]], states);
  engine.writeStates([slots[slots.length - 1], slots[0]], states);
}

function runBackwards(engine: SimEngine): SimEngine {
  return override(engine, { run: (run) => engine.run({ ...run, rows: run.rows.slice().reverse() }) });
}

function leakSlots(engine: SimEngine): SimEngine {
  return override(engine, { release: () => undefined });
}

function loseOneIn(n: number): (batch: SourceBatch) => SourceBatch {
  return (batch) => ({ ...batch, records: batch.records.filter(({ offset }) => offset % n !== n - 1) });
}

function withoutCommitCheck(store: SimStore): SimStore {
  return replace(store, {
    async commit(commit) {
      const { topic, partition } = commit.shard;
      const now = (await store.status()).find(({ shard }) => shard.topic === topic && shard.partition === partition);
      if (now === undefined) return store.commit(commit);
      const { epoch, position } = now;
      return store.commit({ ...commit, epoch, from: position, position: Math.max(position, commit.position) });
    },
  });
}

function withoutFence(store: SimStore): SimStore {
  return replace(store, {
    read: (shard, position, entriesMax) => store.read(shard, position, entriesMax),
    load: (shard, keys) => store.load(shard, keys),
  });
}

function acknowledgeEarly(store: ShardStore): ShardStore {
  return replace(store, {
    async commit(commit) {
      store.commit(commit).catch(() => undefined);
    },
  });
}

function acceptEarly(sink: PointSink): PointSink {
  return {
    async write(lines) {
      sink.write(lines).catch(() => undefined);
    },
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

/** Every fifth commit moves the position and loses one state. */
function tearCommits(store: SimStore): SimStore {
  let commits = 0;
  return replace(store, {
    commit(commit) {
      commits += 1;
      const cut = commits % 5 === 0 ? Math.max(0, commit.keys.length - 1) : commit.keys.length;
      return store.commit({ ...commit, keys: commit.keys.slice(0, cut), states: commit.states.slice(0, cut) });
    },
  });
}

function dropLetters(letters: DeadLetterSink): DeadLetterSink {
  return { write: () => Promise.resolve(), [Symbol.asyncDispose]: () => letters[Symbol.asyncDispose]() };
}
