/** What one run of the benchmark found: the JSON object that it prints. */
import type { Spread } from './statistics.ts';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
}

/** One contestant in one case of throughput. */
export interface Throughput {
  readonly name: string;
  readonly variant: string;
  /** Steps of one series in a second of processor time: median of the rounds with its quarters, and the best round. */
  readonly stepsPerSecond: Spread;
  readonly best: number;
  readonly rounds: number;
  /** Processor time over time: 1 where nobody disturbed it and it used one thread. */
  readonly onProcessor: number;
  /** Largest difference of its outputs to the reference's. */
  readonly difference: number;
  /** By peer: the ratios of steps a second in the same round, their median and quarters. */
  readonly over: Readonly<Record<string, Spread>>;
  readonly gflops: number;
  /** Shares of the limits measured in the same rounds. */
  readonly ofFmaPeak: number | null;
  readonly ofWasmPeak: number | null;
}

export interface ThroughputCase {
  readonly id: string;
  readonly title: string;
  readonly shape: string;
  /** null: one series, RUN_LENGTH steps a call. */
  readonly batch: number | null;
  readonly macs: number;
  readonly weightBytes: number;
  /** GB/s of reading that many bytes over and over. */
  readonly readRate: number | null;
  readonly contestants: readonly Throughput[];
  readonly refused: readonly Refusal[];
}

/** One contestant in one case of latency; times of one inference in microseconds. */
export interface Latency {
  readonly name: string;
  readonly variant: string;
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
  readonly difference: number;
  /** By peer: its median time over this one's in the same round, median and quarters of the rounds. */
  readonly over: Readonly<Record<string, Spread>>;
  readonly gflops: number;
  readonly ofFmaPeak: number | null;
  /** GB/s of weights that it reads, where one step is one inference; null for a window, whose weights are read once for many steps. */
  readonly weightRate: number | null;
}

export interface LatencyCase {
  readonly id: string;
  readonly title: string;
  readonly shape: string;
  readonly form: 'step' | 'window';
  readonly length: number;
  readonly macs: number;
  readonly weightBytes: number;
  readonly readRate: number | null;
  readonly contestants: readonly Latency[];
  readonly refused: readonly Refusal[];
}

/** A contestant that took no part in a case, or whose outputs were wrong. */
export interface Refusal {
  readonly name: string;
  readonly why: string;
  /** Whether its outputs differed too much: the run fails. */
  readonly isWrong: boolean;
}

export interface Target {
  readonly what: string;
  readonly engine: string;
  /** `issue`: promised; `trial`: reached by a throw-away kernel on another machine. */
  readonly from: 'issue' | 'trial';
  readonly needed: number;
  readonly unit: 'x' | '%';
  /** null: not measured in this run. */
  readonly got: number | null;
  readonly where: string;
  readonly verdict: 'pass' | 'fail' | 'not measured';
}

export interface MachineLimits {
  /** GFLOP/s, the median of all rounds. */
  readonly fma: number | null;
  readonly mulAdd: number | null;
  readonly wasm: number | null;
  /** GB/s by what is read: 32 KiB, 256 KiB, 4 MiB, 256 MiB. */
  readonly read: Readonly<Record<string, number | null>>;
}

export interface BenchResult {
  readonly bench: 'engines';
  readonly date: string;
  readonly isQuick: boolean;
  readonly seconds: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly absent: readonly { readonly name: string; readonly why: string }[];
  readonly rounds: number;
  readonly sliceMs: number;
  readonly limits: MachineLimits;
  readonly throughput: readonly ThroughputCase[];
  readonly latency: readonly LatencyCase[];
  readonly targets: readonly Target[];
}
