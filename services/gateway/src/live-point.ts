import { lineFields, lineTags, splitLine } from '@tideline/pipeline';

/** One horizon of a forecast, in the unit of the series. */
export interface Forecast {
  readonly horizon: number;
  readonly q10: number;
  readonly q50: number;
  readonly q90: number;
  /** The time that it speaks of, epoch ms. */
  readonly targetMs: number;
}

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
  /** Probability that the customer's next utterance is negative, 0..1. */
  readonly escalation: number;
}

export type LivePoint = ForecastPoint | SentimentPoint;

/** What a line of measurement `forecast` or `sentiment` says; null for any other line and for one that is broken. Never throws. */
export function parseLivePoint(line: string): LivePoint | null {
  const parts = /^(?:forecast|sentiment),/.test(line) ? partsOf(line) : null;
  if (parts === null || !/^-?\d+$/.test(parts.time)) return null;
  const { head, fields, time } = parts;
  const tags = lineTags(head);
  const values = numbersOf(fields);
  const series = tags.get('series');
  if (series === undefined) return null;
  const point = { stream: tags.get('stream') ?? '', series, model: tags.get('model') ?? '', timeNs: BigInt(time) };
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
  const horizon = Number(tags.get('horizon'));
  if (![last, q10, q50, q90, target, horizon].every(Number.isFinite)) return null;
  return { ...point, kind: 'forecast', last, forecast: { horizon, q10, q50, q90, targetMs: target } };
}

function sentimentPoint(
  point: PointOfSeries,
  tags: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, number>,
): SentimentPoint | null {
  const { score, call_score: callScore, escalation } = Object.fromEntries(values);
  if (![score, callScore, escalation].every(Number.isFinite)) return null;
  const [queue, agent, speaker] = ['queue', 'agent', 'speaker'].map((name) => tags.get(name) ?? 'unknown');
  return { ...point, kind: 'sentiment', queue, agent, speaker, score, callScore, escalation };
}

function numbersOf(fields: string): Map<string, number> {
  return new Map([...lineFields(fields)].map(([name, value]) => [name, Number(value.replace(/[iu]$/, ''))]));
}
