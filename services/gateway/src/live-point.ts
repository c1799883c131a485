import { lineFields, lineTags, splitLine } from '@tideline/pipeline';

/** One horizon of a forecast, in the unit of the series. */
export interface Forecast {
  /** Records ahead, or a time ahead as it stands in the tag: `10s`. */
  readonly horizon: number | string;
  readonly q10: number;
  readonly q50: number;
  readonly q90: number;
  /** The time that it speaks of, epoch ms. */
  readonly targetMs: number;
}

export const TURN_PREFIX = 'turn,';

interface PointOfSeries {
  readonly stream: string;
  readonly series: string;
  readonly model: string;
  /** Identity of the record within its series: epoch ns. */
  readonly timeNs: bigint;
}

export interface ForecastPoint extends PointOfSeries {
  readonly kind: 'forecast';
  /** Value that the forecast starts from. */
  readonly last: number;
  readonly forecast: Forecast;
}

export interface SentimentPoint extends PointOfSeries {
  readonly kind: 'sentiment';
  readonly queue: string;
  readonly agent: string;
  readonly speaker: string;
  /** -1..1: of the utterance, and of the call so far. */
  readonly score: number;
  readonly callScore: number;
  /** Probability that the call turns negative, 0..1; null: the model does not say. */
  readonly escalation: number | null;
  /** Negative, neutral, positive, sum 1; null: the model does not say. */
  readonly probabilities: readonly [number, number, number] | null;
  /** Expected rating of the customer's next turn, 1 to 5; null: the model does not say. */
  readonly satisfaction: number | null;
}

/** What was said in a turn. */
export interface TurnPoint {
  readonly stream: string;
  readonly series: string;
  readonly timeNs: bigint;
  readonly text: string;
}

/** Calls of an interval ahead, and the agents that they need. */
export interface Arrivals {
  /** `next`, `1h`, `4h` or `24h`. */
  readonly horizon: string;
  readonly q10: number;
  readonly q50: number;
  readonly q90: number;
  /** Beginning of the interval that it speaks of, epoch ms. */
  readonly targetMs: number;
  readonly agents: number;
  /** For q90. */
  readonly agentsQ90: number;
}

export interface ArrivalsPoint extends PointOfSeries {
  readonly kind: 'arrivals';
  readonly queue: string;
  /** Calls of the interval that ended. */
  readonly last: number;
  readonly arrivals: Arrivals;
}

export type LivePoint = ForecastPoint | SentimentPoint | ArrivalsPoint;

/** How good a series' forecasts of one horizon have been. */
export interface ScorePoint {
  readonly stream: string;
  readonly series: string;
  /** As it stands in the tag. */
  readonly horizon: string;
  /** Running share of truths inside the interval, 0..1. */
  readonly coverage: number;
  /** Running error of the median over that of the last value; null: nothing moved. */
  readonly mase: number | null;
  /** Forecasts scored so far. */
  readonly scored: number;
}

/** What a line of measurement `score` says; null for one that is broken. Never throws. */
export function parseScorePoint(line: string): ScorePoint | null {
  const parts = partsOf(line);
  if (parts === null) return null;
  const tags = lineTags(parts.head);
  const { coverage, mase = null, scored } = Object.fromEntries(numbersOf(parts.fields));
  const [stream = '', series, horizon] = ['stream', 'series', 'horizon'].map((name) => tags.get(name));
  if (series === undefined || horizon === undefined || !Number.isFinite(coverage) || !Number.isFinite(scored))
    return null;
  return { stream, series, horizon, coverage, mase, scored };
}

/** What a line of measurement `forecast`, `sentiment` or `arrivals` says; null for any other line and for one that is broken. Never throws. */
export function parseLivePoint(line: string): LivePoint | null {
  const parts = /^(?:forecast|sentiment|arrivals),/.test(line) ? partsOf(line) : null;
  if (parts === null || !/^-?\d+$/.test(parts.time)) return null;
  const { head, fields, time } = parts;
  const tags = lineTags(head);
  const values = numbersOf(fields);
  const series = tags.get('series');
  if (series === undefined) return null;
  const point = { stream: tags.get('stream') ?? '', series, model: tags.get('model') ?? '', timeNs: BigInt(time) };
  if (line.startsWith('arrivals,')) return arrivalsPoint(point, tags, values);
  return line.startsWith('forecast,') ? forecastPoint(point, tags, values) : sentimentPoint(point, tags, values);
}

/** One broken line must not cost the lines that came with it. */
function partsOf(line: string): ReturnType<typeof splitLine> | null {
  try {
    return splitLine(line);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function forecastPoint(
  point: PointOfSeries,
  tags: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, number>,
): ForecastPoint | null {
  const { last, q10, q50, q90, target } = Object.fromEntries(values);
  const horizon = horizonOf(tags.get('horizon') ?? '');
  if (horizon === null || ![last, q10, q50, q90, target].every(Number.isFinite)) return null;
  return { ...point, kind: 'forecast', last, forecast: { horizon, q10, q50, q90, targetMs: target } };
}

/** A number of records, or a time such as `10s` or `5min`; null: neither. */
function horizonOf(tag: string): number | string | null {
  if (/^\d+$/.test(tag)) return Number(tag);
  return /^\d+(?:\.\d+)?(?:ms|s|min|h|day)$/.test(tag) ? tag : null;
}

function arrivalsPoint(
  point: PointOfSeries,
  tags: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, number>,
): ArrivalsPoint | null {
  const { last, q10, q50, q90, target, agents, agents_q90: agentsQ90 } = Object.fromEntries(values);
  if (![last, q10, q50, q90, target, agents, agentsQ90].every(Number.isFinite)) return null;
  const horizon = tags.get('horizon') ?? '';
  const arrivals = { horizon, q10, q50, q90, targetMs: target, agents, agentsQ90 };
  return { ...point, kind: 'arrivals', queue: tags.get('queue') ?? point.series, last, arrivals };
}

function sentimentPoint(
  point: PointOfSeries,
  tags: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, number>,
): SentimentPoint | null {
  const { score, call_score: callScore, escalation = null, satisfaction = null } = Object.fromEntries(values);
  if (![score, callScore, escalation ?? 0, satisfaction ?? 0].every(Number.isFinite)) return null;
  const [queue, agent, speaker] = ['queue', 'agent', 'speaker'].map((name) => tags.get(name) ?? 'unknown');
  const shares = ['negative', 'neutral', 'positive'].map((name) => values.get(name) ?? Number.NaN);
  const [negative, neutral, positive] = shares;
  const probabilities = shares.every(Number.isFinite) ? ([negative, neutral, positive] as const) : null;
  const said = { score, callScore, escalation, probabilities, satisfaction };
  return { ...point, kind: 'sentiment', queue, agent, speaker, ...said };
}

/** What a line of measurement `turn` says; null for any other line and for one that is broken. Never throws. */
export function parseTurnPoint(line: string): TurnPoint | null {
  const parts = line.startsWith(TURN_PREFIX) ? partsOf(line) : null;
  if (parts === null || !/^-?\d+$/.test(parts.time)) return null;
  const tags = lineTags(parts.head);
  const [stream, series] = [tags.get('stream'), tags.get('series')];
  const field = lineFields(parts.fields).get('text');
  if (stream === undefined || series === undefined || field === undefined) return null;
  return { stream, series, timeNs: BigInt(parts.time), text: field.slice(1, -1).replace(/\\(["\\])/g, '$1') };
}

function numbersOf(fields: string): Map<string, number> {
  return new Map([...lineFields(fields)].map(([name, value]) => [name, Number(value.replace(/[iu]$/, ''))]));
}
