/** What a backtest finds: figures per seed beside baselines and published numbers, and the forecasts themselves for plots. */

import type { EpochReport, Model } from '@tideline/nn';
import { type MeanDeviation, meanDeviation } from '../spread.ts';

/** How a figure is read. */
export interface Metric {
  readonly name: string;
  readonly better: 'lower' | 'higher' | 'neither';
  /** To be reached by the mean over the seeds; a range where `neither` way is better. */
  readonly target?: number | readonly [number, number];
}

/** Values by the names of metrics; a metric that does not apply is left out. */
export type Figures = Readonly<Record<string, number>>;

/** A baseline or a published result. */
export interface NamedFigures {
  readonly name: string;
  readonly figures: Figures;
  /** Of a published result: where it stands, and what differs from ours. */
  readonly source?: string;
}

export interface SeedFigures {
  readonly seed: number;
  readonly figures: Figures;
  /** Epoch whose weights were kept; absent where nothing was trained. */
  readonly epoch?: number;
}

/** One comparison: a part of the data, or a symbol and horizon. */
export interface ResultTable {
  readonly title: string;
  readonly metrics: readonly Metric[];
  readonly seeds: readonly SeedFigures[];
  readonly baselines: readonly NamedFigures[];
  readonly published: readonly NamedFigures[];
}

/** One series' forecasts over one horizon against what came. All arrays have the same length; NaN: not known. */
export interface ForecastTrack {
  readonly series: string;
  /** Such as '1 step' or '10 s'. */
  readonly horizon: string;
  /** Event time of the record that made the forecast, epoch ms. */
  readonly timeMs: ArrayLike<number>;
  readonly truth: ArrayLike<number>;
  readonly forecast: ArrayLike<number>;
  /** The forecasts are probabilities of an event, the truths 1 where it came and 0 where it did not; absent: both are values. */
  readonly event?: { readonly name: string /** When the truths came, epoch ms. */; readonly cameMs: ArrayLike<number> };
  /** Interval that the forecast states, and the share of truths that it says are inside. */
  readonly interval?: {
    readonly low: ArrayLike<number>;
    readonly high: ArrayLike<number>;
    readonly stated: number;
  };
}

export interface DataRange {
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
  /** Event times of the first and the last step, ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly records: number;
  readonly series: number;
  readonly steps: number;
  /** What was left out and why: refused records, series with too little history. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface BacktestResult {
  /** Recipe or stream. */
  readonly name: string;
  readonly task: string;
  readonly data: DataRange;
  /** How the data was cut into training, validation and test. */
  readonly split: string;
  /** Network and training settings, as far as there are any. */
  readonly model: Readonly<Record<string, unknown>>;
  readonly tables: readonly ResultTable[];
  /** Of the first seed. */
  readonly tracks: readonly ForecastTrack[];
  /** What a reader must know to read the figures rightly. */
  readonly notes: readonly string[];
  /** The first seed's model, of the last fold; absent where none was trained. */
  readonly trained?: TrainedSeed;
}

export interface TrainedSeed {
  readonly model: Model;
  readonly seed: number;
  /** Digest of what the stream declared, so that a stream that declares otherwise refuses the model; null: it is built in. */
  readonly declaration: string | null;
  /** SHA-256 of the word vectors that its features are made of; absent where there are none. */
  readonly words?: string;
  readonly epochs?: readonly EpochReport[];
}

/** Mean and standard deviation of a metric over the seeds that have it; the deviation of one seed is NaN. */
export interface Spread extends MeanDeviation {
  readonly seeds: number;
}

/** Over the seeds, with n - 1 below the root. */
export function spreadOf(table: ResultTable, metric: string): Spread {
  const values = table.seeds.flatMap(({ figures }) => (metric in figures ? [figures[metric]] : []));
  return { ...meanDeviation(values), seeds: values.length };
}

/** Whether the mean over the seeds reaches the metric's target; null where it has none. */
export function reaches({ better, target }: Metric, { mean }: Spread): boolean | null {
  if (target === undefined) return null;
  if (typeof target !== 'number') return mean >= target[0] && mean <= target[1];
  return better === 'higher' ? mean >= target : mean <= target;
}
