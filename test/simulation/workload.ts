/** What a seed reads: partitions of records of one or more streams, among them poison, late and equal times, ends of series, gaps in the offsets. */
import { createModel, createReferenceEngine, initWeights, type Model, type ModelSpec } from '@tideline/nn';
import { type Shard, type StepEngine, type Stream, shardName } from '@tideline/pipeline';
import { createStream, mulberry32 } from '@tideline/streams';
import { createChainEngine } from './chain-engine.ts';
import { expectChain } from './chain-oracle.ts';
import { createChainStream } from './chain-stream.ts';
import type { Chance } from './chance.ts';
import type { Expectation, ShardExpectation } from './expectation.ts';
import type { SimPartition } from './sim-kafka.ts';
import { expectStream } from './stream-oracle.ts';
import { callRecords, chainRecords, type RecordRates, tickRecords } from './workload-records.ts';

const SLOTS_MAX = 10_000;
const PARTITIONS_MAX = 3;

/** One topic's stream, and how a process makes its engine. */
export interface WorkloadStream {
  readonly stream: Stream;
  readonly createEngine: () => StepEngine;
}

export interface Workload {
  readonly partitions: readonly SimPartition[];
  readonly streams: ReadonlyMap<string, WorkloadStream>;
  readonly expected: Expectation;
  readonly records: number;
  /** Virtual time at which the last record is there. */
  readonly untilMs: number;
  /** Records that are out of the ordinary. */
  readonly special: Readonly<Record<string, number>>;
}

type Kind = 'chain' | 'ticks' | 'calls';

/** Most seeds read the chain alone, which shows every bit; some read real streams over real networks, alone or beside it. */
const MIXES: readonly (readonly Kind[])[] = [
  ...Array.from({ length: 7 }, () => ['chain'] as const),
  ['ticks'],
  ['calls'],
  ['chain', 'ticks', 'calls'],
];

const GENERATORS = { chain: chainRecords, ticks: tickRecords, calls: callRecords } as const;

export function drawWorkload(chance: Chance): Workload {
  const untilMs = chance.magnitude(300, 6_000);
  const rates: RecordRates = {
    poison: chance.is(0.5) ? 0.05 : 0,
    late: chance.is(0.5) ? 0.1 : 0,
    gap: chance.is(0.5) ? 0.1 : 0,
    end: chance.is(0.5) ? 0.08 : 0,
    nan: chance.is(0.15) ? 0.03 : 0,
  };
  const special = { poison: 0, late: 0, gaps: 0, ends: 0 };
  const partitions: SimPartition[] = [];
  const streams = new Map<string, WorkloadStream>();
  const shards = new Map<string, ShardExpectation>();
  const points = new Map<string, string>();
  for (const kind of chance.pick(MIXES)) {
    const { workload, expect } = KINDS[kind]();
    streams.set(kind, workload);
    const count = chance.whole(1, PARTITIONS_MAX);
    for (let partition = 0; partition < count; partition += 1) {
      const shard: Shard = { topic: kind, partition };
      const low = chance.is(0.3) ? chance.whole(1, 1_000) : 0;
      const records = GENERATORS[kind]({ chance, rates, special, partition, times: drawTimes(chance, untilMs), low });
      partitions.push({ shard, low, records });
      shards.set(shardName(shard), expect({ shard, low, records }, points));
    }
  }
  const records = partitions.reduce((sum, partition) => sum + partition.records.length, 0);
  return { partitions, streams, expected: { shards, points }, records, untilMs, special };
}

function drawTimes(chance: Chance, untilMs: number): number[] {
  const count = Math.round(chance.magnitude(8, 90));
  return Array.from({ length: count }, () => chance.number() * untilMs).sort((a, b) => a - b);
}

interface KindParts {
  readonly workload: WorkloadStream;
  readonly expect: (partition: SimPartition, points: Map<string, string>) => ShardExpectation;
}

const KINDS: Readonly<Record<Kind, () => KindParts>> = {
  chain: () => ({
    workload: { stream: createChainStream(), createEngine: () => createChainEngine({ slotsMax: SLOTS_MAX }) },
    expect: expectChain,
  }),
  ticks: () => realStream('ticks', 'gru'),
  calls: () => realStream('calls', 'lstm'),
};

/** A real stream over a small network with made-up weights: its forecasts are worth nothing, its bits everything. */
function realStream(name: 'ticks' | 'calls', cell: 'gru' | 'lstm'): KindParts {
  const stream = createStream(name, { modelName: `sim-${name}`, idleTtlMs: null });
  const { inputSize, outputSize } = stream;
  const spec: ModelSpec = { name: `sim-${name}`, cell, inputSize, hiddenSize: 4, layers: 1, outputSize };
  const model: Model = createModel(spec, initWeights(spec, mulberry32(1)));
  return {
    workload: { stream, createEngine: () => createReferenceEngine(model, { slotsMax: SLOTS_MAX }) },
    expect: (partition, points) => expectStream({ stream, model }, partition, points),
  };
}
