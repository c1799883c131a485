/** What a seed reads: partitions of records of one or more streams, among them poison, late and equal times, ends of series, gaps in the offsets. */
import { createModel, createReferenceEngine, initWeights, type Model, type ModelSpec } from '@tideline/nn';
import { type Shard, type StepEngine, type Stream, shardName } from '@tideline/pipeline';
import { CALL_POINTS, createStream, mulberry32, summarySpec } from '@tideline/streams';
import { CHAIN_MODELS, createChainEngine } from './chain-engine.ts';
import { expectChain } from './chain-oracle.ts';
import { chainClose, createChainStream } from './chain-stream.ts';
import type { Chance } from './chance.ts';
import type { ChangedExpectation, Expectation, ShardExpectation } from './expectation.ts';
import type { SimPartition } from './sim-kafka.ts';
import { expectStream } from './stream-oracle.ts';
import { callRecords, chainRecords, type RecordRates, tickRecords } from './workload-records.ts';

const SLOTS_MAX = 10_000;
const PARTITIONS_MAX = 3;

/** One topic's stream with one of its models, and how a process makes its engine. */
export interface WorkloadModel {
  readonly stream: Stream;
  readonly digest: string;
  readonly createEngine: () => StepEngine;
}

/** Which of a topic's two models: all begin with the first. */
export type ModelVersion = 0 | 1;

export type WorkloadStream = readonly [WorkloadModel, WorkloadModel];

export interface Workload {
  readonly partitions: readonly SimPartition[];
  readonly streams: ReadonlyMap<string, WorkloadStream>;
  readonly expected: Expectation;
  /** What comes of a shard from the offset `from` on, if the second model begins there. */
  readonly expectChanged: (shard: string, from: number) => ChangedExpectation;
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
  const special = { poison: 0, late: 0, gaps: 0, ends: 0, silent: 0 };
  const idleTtlMs = chance.is(0.4) ? Math.round(chance.magnitude(4, 60)) : null;
  const partitions: SimPartition[] = [];
  const streams = new Map<string, WorkloadStream>();
  const shards = new Map<string, ShardExpectation>();
  const points = new Map<string, string>();
  const changed = new Map<string, (from: number) => ChangedExpectation>();
  for (const kind of chance.pick(MIXES)) {
    const { workload, expect } = KINDS[kind](idleTtlMs);
    streams.set(kind, workload);
    const count = chance.whole(1, PARTITIONS_MAX);
    for (let partition = 0; partition < count; partition += 1) {
      const shard: Shard = { topic: kind, partition };
      const low = chance.is(0.3) ? chance.whole(1, 1_000) : 0;
      const records = GENERATORS[kind]({ chance, rates, special, partition, times: drawTimes(chance, untilMs), low });
      const drawn = { shard, low, records };
      partitions.push(drawn);
      const expectation = expect(drawn, points, { version: 0, from: low });
      special.silent += expectation.restarts;
      shards.set(shardName(shard), expectation);
      changed.set(shardName(shard), (from) => {
        const later = new Map<string, string>();
        return { from, digest: workload[1].digest, shard: expect(drawn, later, { version: 1, from }), points: later };
      });
    }
  }
  const records = partitions.reduce((sum, partition) => sum + partition.records.length, 0);
  const expectChanged = (shard: string, from: number): ChangedExpectation => {
    const expect = changed.get(shard);
    if (expect === undefined) throw new RangeError(`There is no shard ${shard}.`);
    return expect(from);
  };
  return { partitions, streams, expected: { shards, points }, expectChanged, records, untilMs, special };
}

function drawTimes(chance: Chance, untilMs: number): number[] {
  const count = Math.round(chance.magnitude(8, 90));
  return Array.from({ length: count }, () => chance.number() * untilMs).sort((a, b) => a - b);
}

interface KindParts {
  readonly workload: WorkloadStream;
  readonly expect: (
    partition: SimPartition,
    points: Map<string, string>,
    by: { readonly version: ModelVersion; readonly from: number },
  ) => ShardExpectation;
}

/** `idleTtlMs`: event time after which a silent series begins anew; null: never. */
const KINDS: Readonly<Record<Kind, (idleTtlMs: number | null) => KindParts>> = {
  chain: (idleTtlMs) => ({
    workload: [chainModel(0, idleTtlMs), chainModel(1, idleTtlMs)],
    expect: (partition, points, { version, from }) =>
      expectChain(partition, points, { model: CHAIN_MODELS[version], from, idleTtlMs, tellsEnds: true }),
  }),
  ticks: (idleTtlMs) => realStream('ticks', 'gru', idleTtlMs),
  calls: (idleTtlMs) => realStream('calls', 'lstm', idleTtlMs),
};

function chainModel(version: ModelVersion, idleTtlMs: number | null): WorkloadModel {
  const model = CHAIN_MODELS[version];
  const createEngine = (): StepEngine => createChainEngine({ slotsMax: SLOTS_MAX, model });
  const stream = {
    ...createChainStream(model.name),
    close: chainClose(model.name),
    ...(idleTtlMs !== null && { idleTtlMs }),
  };
  return { stream, digest: model.digest, createEngine };
}

const SUMMARY_SPEC = summarySpec(3);
const SUMMARY = createModel(SUMMARY_SPEC, initWeights(SUMMARY_SPEC, mulberry32(7)));

/** A real stream over small networks with made-up weights: its forecasts are worth nothing, its bits everything. */
function realStream(name: 'ticks' | 'calls', cell: 'gru' | 'lstm', idleTtlMs: number | null): KindParts {
  const made = ([0, 1] as const).map((version) => {
    const modelName = `sim-${name}-${version + 1}`;
    // With a time to live some ticks are scored and calibrated, too: an output state rides in every series' state, and begins anew with it.
    const more = idleTtlMs !== null;
    const callPoints = more ? CALL_POINTS : [];
    const own = { isVerified: name === 'ticks' && more, callPoints, summaryModel: SUMMARY };
    const stream = createStream(name, { modelName, idleTtlMs, ...own });
    const { inputSize, outputSize } = stream;
    const spec: ModelSpec = { name: modelName, cell, inputSize, hiddenSize: 4, layers: 1, outputSize };
    const model: Model = createModel(spec, initWeights(spec, mulberry32(version + 1)));
    const createEngine = (): StepEngine => createReferenceEngine(model, { slotsMax: SLOTS_MAX });
    return { stream, model, digest: model.digest, createEngine };
  });
  return {
    workload: [made[0], made[1]],
    expect: (partition, points, { version, from }) => expectStream({ ...made[version], from }, partition, points),
  };
}
