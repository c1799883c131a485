import type { Arena, Ready } from './arena.ts';
import { type BenchCase, macsOf, stepsOf } from './cases.ts';
import type { Limits, Peaks } from './limits.ts';
import { ONNXRUNTIME, PYTORCH, TENSORFLOW } from './peers.ts';
import type { Latency, LatencyCase, Refusal, Throughput, ThroughputCase } from './result.ts';
import { type Rounds, runRounds, type Sample } from './rounds.ts';
import { median, percentile, type Spread, spreadOf } from './statistics.ts';

export interface Effort {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly latencyRounds: number;
  readonly latencySliceMs: number;
  /** Calls of a slice of latency at least. */
  readonly latencyCallsMin: number;
  /** Rounds of one case end after so long a time. */
  readonly budgetMs: number;
}

export interface Measuring {
  readonly arena: Arena;
  readonly limits: Limits;
  readonly effort: Effort;
  /** Gets the limits of every round. */
  readonly onPeaks: (peaks: Peaks) => void;
}

/** Whom the others are compared with. */
const PEERS: readonly string[] = [ONNXRUNTIME, PYTORCH, TENSORFLOW];
const PEAK_MS = 4;
const READ_MS = 20;
const SLOW_MS = 60;
/** Plain loops and TensorFlow.js are tens of times slower at these sizes: they would take the time of all others. */
const IN_LATENCY = /^(simd|onnxruntime|pytorch)/;

export function measureThroughput(benchCase: BenchCase, measuring: Measuring): Promise<ThroughputCase> {
  const { arena, limits, effort } = measuring;
  return arena.withCase(
    benchCase,
    () => true,
    async (ready, refused) => {
      const rounds = await roundsOf(ready, measuring, {
        ...{ rounds: effort.rounds, sliceMs: effort.sliceMs, callsMin: 1, each: false, slowMs: SLOW_MS },
      });
      const { id, title, spec, form, batch } = benchCase;
      return {
        ...{ id, title, shape: spec.name, batch: form === 'step' ? batch : null },
        refused: [...refused, ...failedOf(rounds)],
        ...(await weightsOf(benchCase, limits)),
        contestants: survivorsOf(ready, rounds).map((one) => throughputOf(one, benchCase, rounds)),
      };
    },
  );
}

export function measureLatency(benchCase: BenchCase, measuring: Measuring): Promise<LatencyCase> {
  const { arena, limits, effort } = measuring;
  const isTimed = (name: string) => IN_LATENCY.test(name);
  return arena.withCase(benchCase, isTimed, async (ready, refused) => {
    const rounds = await roundsOf(ready, measuring, {
      ...{ rounds: effort.latencyRounds, sliceMs: effort.latencySliceMs },
      ...{ callsMin: effort.latencyCallsMin, each: true, slowMs: Number.POSITIVE_INFINITY },
    });
    const { id, title, spec, form, length } = benchCase;
    return {
      ...{ id, title, shape: spec.name, form: form === 'step' ? 'step' : 'window', length },
      refused: [...refused.filter(({ name }) => isTimed(name)), ...failedOf(rounds)],
      ...(await weightsOf(benchCase, limits)),
      contestants: survivorsOf(ready, rounds).map((one) => latencyOf(one, benchCase, rounds)),
    };
  });
}

function roundsOf(
  ready: readonly Ready[],
  { limits, effort, onPeaks }: Measuring,
  options: {
    readonly rounds: number;
    readonly sliceMs: number;
    readonly callsMin: number;
    readonly each: boolean;
    readonly slowMs: number;
  },
): Promise<Rounds<Peaks>> {
  const beside = async (): Promise<Peaks> => {
    const peaks = await limits.peaks(PEAK_MS);
    onPeaks(peaks);
    return peaks;
  };
  return runRounds(
    ready.map(({ contestant }) => contestant),
    { ...options, budgetMs: effort.budgetMs, beside },
  );
}

function failedOf({ failed }: Rounds<Peaks>): Refusal[] {
  return failed.map((one) => ({ ...one, isWrong: false }));
}

function survivorsOf(ready: readonly Ready[], { failed }: Rounds<Peaks>): Ready[] {
  return ready.filter(({ contestant }) => failed.every(({ name }) => name !== contestant.name));
}

async function weightsOf(
  { spec }: BenchCase,
  limits: Limits,
): Promise<{ macs: number; weightBytes: number; readRate: number | null }> {
  const macs = macsOf(spec);
  return { macs, weightBytes: 4 * macs, readRate: await limits.readRate(4 * macs, READ_MS) };
}

function throughputOf(
  { contestant, variant, difference }: Ready,
  benchCase: BenchCase,
  rounds: Rounds<Peaks>,
): Throughput {
  const { name } = contestant;
  const own = rounds.samples.filter((sample) => sample.name === name);
  const rate = ({ calls, processorNs }: Sample): number => (calls * stepsOf(benchCase) * 1e9) / processorNs;
  const rates = own.map(rate);
  const flops = 2 * macsOf(benchCase.spec);
  return {
    ...{ name, variant, difference },
    stepsPerSecond: spreadOf(rates),
    best: Math.max(...rates),
    rounds: own.length,
    onProcessor: median(own.map(({ processorNs, ns }) => processorNs / ns)),
    over: ratios(own, rounds, rate),
    gflops: (median(rates) * flops) / 1e9,
    ofFmaPeak: shareOf(own, rounds, 'fma', (sample) => (rate(sample) * flops) / 1e9),
    ofWasmPeak: shareOf(own, rounds, 'wasm', (sample) => (rate(sample) * flops) / 1e9),
  };
}

function latencyOf({ contestant, variant, difference }: Ready, benchCase: BenchCase, rounds: Rounds<Peaks>): Latency {
  const { name } = contestant;
  const own = rounds.samples.filter((sample) => sample.name === name);
  const times = own.flatMap(({ each }) => each);
  const perSecond = ({ each }: Sample): number => 1e9 / median(each);
  const flops = 2 * macsOf(benchCase.spec) * stepsOf(benchCase);
  const p50 = percentile(times, 0.5);
  return {
    ...{ name, variant, difference },
    p50: p50 / 1e3,
    p99: percentile(times, 0.99) / 1e3,
    samples: times.length,
    over: ratios(own, rounds, perSecond),
    gflops: flops / p50,
    ofFmaPeak: shareOf(own, rounds, 'fma', (sample) => (perSecond(sample) * flops) / 1e9),
    weightRate: benchCase.form === 'step' ? (4 * macsOf(benchCase.spec)) / p50 : null,
  };
}

/** By peer: the ratios of the rounds in which both had a slice. */
function ratios(
  own: readonly Sample[],
  { samples }: Rounds<Peaks>,
  rate: (sample: Sample) => number,
): Readonly<Record<string, Spread>> {
  const found: Record<string, Spread> = {};
  for (const peer of PEERS) {
    const peers = new Map(samples.filter(({ name }) => name === peer).map((sample) => [sample.round, rate(sample)]));
    const paired = own.flatMap((sample) => {
      const other = peers.get(sample.round);
      return other === undefined ? [] : [rate(sample) / other];
    });
    if (paired.length > 0) found[peer] = spreadOf(paired);
  }
  return found;
}

function shareOf(
  own: readonly Sample[],
  { beside }: Rounds<Peaks>,
  limit: keyof Peaks,
  gflops: (sample: Sample) => number,
): number | null {
  const shares = own.flatMap((sample) => {
    const peak = beside[sample.round][limit];
    return peak === null ? [] : [gflops(sample) / peak];
  });
  return shares.length === 0 ? null : median(shares);
}
