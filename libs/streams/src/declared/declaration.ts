/** A declared stream, after its file has been read and checked: every name is known, every default is filled in. */
import type { LatePolicy } from '@tideline/pipeline';
import type { BarRule } from '../features/bars.ts';
import type { PlannedFeature } from '../features/plan.ts';
import type { HorizonUnit, VerificationOptions } from '../verification/options.ts';

export const TIME_UNITS = ['auto', 'ms', 'us', 'ns', 's', 'iso'] as const;
/** `auto`: epoch ms as a number or ISO 8601 as a text. */
export type DeclaredTimeUnit = (typeof TIME_UNITS)[number];

export interface DeclaredField {
  readonly name: string;
  /** Name of the record's field, where it differs. */
  readonly from: string;
  readonly required: boolean;
  /** The value must be above this; -Infinity: no rule. */
  readonly above: number;
  readonly atLeast: number;
  readonly atMost: number;
}

export interface DeclaredFeature extends PlannedFeature {
  /** Whether the network sees it, or only other features do. */
  readonly isInput: boolean;
  /** What the network sees while the value is not known. */
  readonly absent: number;
}

export const FURTHER_FORECASTS = ['up', 'volatility'] as const;
/** `up`: probability that the value rises. `volatility`: deviation of its log return. */
export type FurtherForecast = (typeof FURTHER_FORECASTS)[number];

/** The network's outputs as they are, under these names. */
export interface RawOutput {
  readonly kind: 'raw';
  readonly fields: readonly string[];
}

/** Quantiles of the log return of `of` over each horizon, in units of `unit` times the root of the steps that lie in it. */
export interface QuantileOutput {
  readonly kind: 'quantiles';
  readonly of: string;
  /** What the forecast is told from in the value's own space: the price as it came, where `of` is an adjusted one. */
  readonly last: string;
  /** Feature that a return is measured in; null: the return itself. */
  readonly unit: string | null;
  readonly levels: readonly number[];
  readonly horizons: readonly number[];
  /** What horizons are counted in. */
  readonly per: HorizonUnit;
  /** Further fields of a point that are made of its quantiles. */
  readonly also: readonly FurtherForecast[];
  /** null: nothing follows the forecasts. */
  readonly verification: VerificationOptions | null;
}

export const TAG_SOURCES = ['key', 'stream', 'model', 'horizon'] as const;
export type TagSource = (typeof TAG_SOURCES)[number];

export interface DeclaredPoint {
  readonly measurement: string;
  /** Tag -> what it says. */
  readonly tags: readonly (readonly [string, TagSource])[];
  /** `unique`: the event time plus the offset within its unit, so that records of one instant keep apart; `event`: the event time itself. */
  readonly time: 'unique' | 'event';
  /** Further fields: `offset`, `partition`, or a field or feature. */
  readonly with: readonly string[];
}

/** A table whose rows are learnt, a series' row by the hash of its key: what is particular about a series. */
export interface DeclaredEmbedding {
  /** Values of a series, behind the features among the network's inputs. */
  readonly size: number;
  /** Rows of the table: many more than series, so that two seldom share one. */
  readonly buckets: number;
}

export interface DeclaredBars {
  readonly rule: BarRule;
  readonly price: string;
  /** null: none is counted. */
  readonly volume: string | null;
}

export interface Declaration {
  readonly name: string;
  readonly key: string;
  readonly time: { readonly field: string; readonly unit: DeclaredTimeUnit };
  readonly fields: readonly DeclaredField[];
  /** null: every record is a step. */
  readonly bars: DeclaredBars | null;
  readonly features: readonly DeclaredFeature[];
  /** null: the network does not know one series from another. */
  readonly embedding: DeclaredEmbedding | null;
  /** Steps of a series before its first point. */
  readonly warmUp: number;
  readonly output: RawOutput | QuantileOutput;
  readonly point: DeclaredPoint;
  /** Name of the model's folder. */
  readonly model: string;
  readonly late: LatePolicy | null;
  /** Whether a record with the event time of the one before it is that record again. */
  readonly repeatsByTime: boolean;
  readonly idleTtlMs: number | null;
}
