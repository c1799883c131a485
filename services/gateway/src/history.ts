/** The newest points of InfluxDB as line protocol: what the page shows before the first live point. */
import type { InfluxReader } from '@tideline/adapters';
import { escapeTag, stringField } from '@tideline/pipeline';

/** Per series and horizon; and series at most, so that an installation with 100,000 of them starts as quickly. */
const POINTS_A_SERIES = 200;
const SERIES_MAX = 400;
/** Of measurements with a series a call, which would be the first by name, not the newest: their newest points, whoever's they are. */
const POINTS_OF_CALLS = 10_000;

interface Measurement {
  readonly name: string;
  readonly tags: readonly string[];
  readonly floats: readonly string[];
  readonly integers: readonly string[];
  readonly texts?: readonly string[];
  /** Its series are calls. */
  readonly isOfCalls?: boolean;
}

const MEASUREMENTS: readonly Measurement[] = [
  {
    name: 'forecast',
    tags: ['horizon', 'model', 'series', 'stream'],
    floats: ['last', 'q10', 'q50', 'q90'],
    integers: ['target'],
  },
  {
    name: 'score',
    tags: ['horizon', 'model', 'series', 'stream'],
    floats: ['coverage', 'mase'],
    integers: ['scored'],
  },
  {
    name: 'sentiment',
    isOfCalls: true,
    tags: ['agent', 'model', 'queue', 'series', 'speaker', 'stream'],
    floats: ['call_score', 'escalation', 'negative', 'neutral', 'positive', 'satisfaction', 'score'],
    integers: [],
  },
  {
    name: 'turn',
    isOfCalls: true,
    tags: ['series', 'stream'],
    floats: [],
    integers: [],
    texts: ['text'],
  },
  {
    name: 'call_summary',
    isOfCalls: true,
    tags: ['series', 'stream'],
    floats: ['dissatisfied', 'effect_1', 'effect_2', 'effect_3', 'satisfaction', 'score'],
    integers: ['decisive_1', 'decisive_2', 'decisive_3', 'duration_ms', 'turns'],
    texts: ['categories', 'class', 'ended_by', 'line_1', 'line_2', 'line_3', 'line_4'],
  },
  {
    name: 'alert',
    isOfCalls: true,
    tags: ['agent', 'kind', 'queue', 'rule', 'series', 'severity', 'stream'],
    floats: ['value'],
    integers: ['offset', 'partition'],
    texts: ['reason'],
  },
  {
    name: 'acknowledgement',
    isOfCalls: true,
    tags: ['agent', 'queue', 'rule', 'series', 'severity', 'stream'],
    floats: [],
    integers: ['at'],
    texts: ['by', 'id', 'note'],
  },
  {
    name: 'arrivals',
    tags: ['horizon', 'model', 'queue', 'series', 'stream'],
    floats: ['last', 'q10', 'q50', 'q90'],
    integers: ['agents', 'agents_q90', 'target'],
  },
];

/** Lines of the newest points, oldest first. Throws as the reader does. (`series` is a word of InfluxQL: names are quoted.) */
export async function readHistory(reader: Pick<InfluxReader, 'query'>): Promise<string[]> {
  const found = await Promise.all(
    MEASUREMENTS.map(async (measurement) => {
      const query = queryOf(measurement);
      const rows = await reader.query(query);
      return rows.map((row) => ({ timeNs: nanoseconds(row.time), line: lineOf(measurement, row) }));
    }),
  );
  return (
    found
      .flat()
      // What was said comes behind its turn's point: of one time, in the order of MEASUREMENTS.
      .sort((a, b) => (a.timeNs === b.timeNs ? 0 : a.timeNs < b.timeNs ? -1 : 1))
      .map(({ timeNs, line }) => `${line} ${timeNs}`)
  );
}

function queryOf({ name, tags, floats, integers, texts = [], isOfCalls = false }: Measurement): string {
  const quoted = (names: readonly string[]): string => names.map((column) => `"${column}"`).join(', ');
  const fields = [...floats, ...integers, ...texts];
  if (isOfCalls)
    return `SELECT ${quoted([...fields, ...tags])} FROM ${name} ORDER BY time DESC LIMIT ${POINTS_OF_CALLS}`;
  return (
    `SELECT ${quoted(fields)} FROM ${name} GROUP BY ${quoted(tags)} ` +
    `ORDER BY time DESC LIMIT ${POINTS_A_SERIES} SLIMIT ${SERIES_MAX}`
  );
}

function lineOf(
  { name, tags, floats, integers, texts = [] }: Measurement,
  row: Readonly<Record<string, unknown>>,
): string {
  const head = tags.map((tag) => `${tag}=${escapeTag(String(row[tag] ?? ''))}`);
  const isThere = (field: string): boolean => row[field] !== null && row[field] !== undefined;
  const fields = [
    ...floats.filter(isThere).map((field) => `${field}=${row[field]}`),
    ...integers.filter(isThere).map((field) => `${field}=${row[field]}i`),
    ...texts.map((field) => `${field}=${stringField(String(row[field] ?? ''))}`),
  ];
  return `${name},${head.join(',')} ${fields.join(',')}`;
}

/** The client's dates carry their nanoseconds beside the milliseconds. */
function nanoseconds(time: unknown): bigint {
  const precise = time as { getNanoTime?: () => string };
  if (precise.getNanoTime !== undefined) return BigInt(precise.getNanoTime());
  return BigInt((time as Date).getTime()) * 1_000_000n;
}
