/** What follows a stream's forecasts until their truth is known: corrections of their quantiles, scores, a head that goes on learning. */

export const HORIZON_UNITS = ['steps', 'ms', 's', 'min', 'h', 'day'] as const;
/** What horizons are counted in: steps of the series or event time. */
export type HorizonUnit = (typeof HORIZON_UNITS)[number];

const UNIT_MS = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, day: 86_400_000 } as const;

/** A horizon as it stands in a tag: `5`, `10s`. */
export function horizonName(horizon: number, unit: HorizonUnit): string {
  return unit === 'steps' ? String(horizon) : `${horizon}${unit}`;
}

/** Length of a horizon, ms; null: it is counted in steps. */
export function spanMsOf(horizon: number, unit: HorizonUnit): number | null {
  return unit === 'steps' ? null : horizon * UNIT_MS[unit];
}

/**
 * Steps that the unit of a return is scaled by: the horizon's own, or how many the mean gap between two steps lets expect in its time, 1 at least.
 * `meanGapMs`: NaN or 0 where it is not known.
 */
export function stepsWithin(horizon: number, spanMs: number | null, meanGapMs: number): number {
  if (spanMs === null) return horizon;
  return meanGapMs > 0 ? Math.max(1, spanMs / meanGapMs) : 1;
}

/** Online quantile tracking: each outer quantile is moved, in units of the forecast's own width, until as many truths lie beyond it as its level says. */
export interface CalibrationOptions {
  /** Share of the mean error by which one truth moves a quantile. */
  readonly rate: number;
  /** Truths that the mean error remembers: it is the unit of the moves, and one that follows every burst moves them too far. Absent: 100. */
  readonly memory?: number;
}

export interface ScoreOptions {
  /** Forecasts of a series and horizon between two points of measurement `score`. */
  readonly every: number;
  /** Forecasts that the running figures remember. */
  readonly memory: number;
}

/** Recursive least squares on the network's inputs and median. */
export interface OnlineHeadOptions {
  readonly forgetting: number;
}

/** Experts beside the network, and weights that follow what each has been worth. */
export interface AggregationOptions {
  /** Share of the mean return by which the truths of one horizon's length move an expert's quantile. */
  readonly rate: number;
  /** Horizons' lengths that the weights remember. */
  readonly memory: number;
}

export interface VerificationOptions {
  /** Forecasts of one series and horizon that await their truth at most. */
  readonly pending: number;
  readonly calibration: CalibrationOptions | null;
  readonly scores: ScoreOptions | null;
  readonly online: OnlineHeadOptions | null;
  /** Absent: none. (Not null: what a stream without it remembers is told by the options' text, which stays as it was.) */
  readonly aggregation?: AggregationOptions;
  /** Step of the grid that the values stand on; `auto`: found in the values. Absent: quantiles lie anywhere. */
  readonly tick?: 'auto' | number;
}

export const VERIFICATION_DEFAULTS = {
  pending: 64,
  rate: 0.05,
  every: 20,
  memory: 500,
  forgetting: 0.9995,
  expertRate: 0.015,
  expertMemory: 1_000,
} as const;
