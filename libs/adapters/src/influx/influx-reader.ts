import { createInterface } from 'node:readline';
import { ConfigError } from '@tideline/pipeline';
import { createInfluxClient, pingInflux, withInfluxErrors } from './influx-client.ts';
import { answerText, createInfluxHttp, type InfluxConnection, type InfluxHttp } from './influx-connection.ts';
import { influxError } from './influx-errors.ts';
import { formatLine, sortedLine } from './line-format.ts';

export interface InfluxReader extends AsyncDisposable {
  /** Resolves with one sentence about the server and the database. Throws with the cure where something is wrong. */
  ping(): Promise<string>;
  /** Rows of an InfluxQL query; `time` is a Date (ms). Use `exportLines` where the nanoseconds count. */
  query(query: string): Promise<Record<string, unknown>[]>;
  /** Every point of a measurement as line protocol, all ns of its time, tags and fields sorted: equals `sortedLine` of what was written. */
  exportLines(measurement: string): AsyncGenerator<string>;
  dropDatabase(): Promise<void>;
}

const CHUNK_ROWS = 10_000;

/** Reads from InfluxDB. Nothing connects yet. */
export function createInfluxReader(options: InfluxConnection): InfluxReader {
  const http = createInfluxHttp(options);
  const client = createInfluxClient(options);
  const { database } = options;
  return {
    async ping() {
      const version = await pingInflux(http);
      const names = await withInfluxErrors(http.address, () => client.getDatabaseNames());
      const state = names.includes(database) ? 'exists' : 'does not exist yet';
      return `InfluxDB ${version}, database '${database}' ${state}`;
    },
    async query(query) {
      const rows = await withInfluxErrors(http.address, () => client.query<Record<string, unknown>>(query));
      return [...rows];
    },
    exportLines: (measurement) => exportLines(http, database, measurement),
    dropDatabase: () => withInfluxErrors(http.address, () => client.dropDatabase(database)),
    async [Symbol.asyncDispose]() {
      http.close();
    },
  };
}

async function* exportLines(http: InfluxHttp, database: string, measurement: string): AsyncGenerator<string> {
  const types = await fieldTypes(http, database, measurement);
  const query = `SELECT * FROM ${identifier(measurement)} GROUP BY *`;
  for await (const series of queryChunks(http, database, query)) {
    const columns = series.columns.slice(1);
    for (const [time, ...values] of series.values)
      yield sortedLine(
        formatLine({ measurement, tags: series.tags ?? {}, columns, types, values, time: String(time) }),
      );
  }
}

async function fieldTypes(
  http: InfluxHttp,
  database: string,
  measurement: string,
): Promise<ReadonlyMap<string, string>> {
  const types = new Map<string, string>();
  for await (const { values } of queryChunks(http, database, `SHOW FIELD KEYS FROM ${identifier(measurement)}`))
    for (const [name, type] of values) types.set(String(name), String(type));
  return types;
}

interface SeriesChunk {
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}
interface QueryChunk {
  readonly results?: readonly { readonly series?: readonly SeriesChunk[]; readonly error?: string }[];
  readonly error?: string;
}

/** A chunked answer is one JSON document a line. */
async function* queryChunks(http: InfluxHttp, database: string, query: string): AsyncGenerator<SeriesChunk> {
  const parameters = new URLSearchParams({
    db: database,
    q: query,
    epoch: 'ns',
    chunked: 'true',
    chunk_size: String(CHUNK_ROWS),
  });
  const answer = await http.send('GET', `/query?${parameters}`);
  if (answer.status !== 200)
    throw influxError({ address: http.address, status: answer.status, text: await answerText(answer) });
  for await (const line of createInterface({ input: answer.body, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const { results = [], error } = JSON.parse(quoteTimes(line)) as QueryChunk;
    const failure = error ?? results.find((result) => result.error !== undefined)?.error;
    if (failure !== undefined) throw new ConfigError([`InfluxDB at ${http.address} refused a query: ${failure}.`]);
    for (const { series = [] } of results) yield* series;
  }
}

/** Nanoseconds do not fit a JSON number: the first value of each row becomes a string. Strings of the document are stepped over. */
function quoteTimes(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|\[(-?\d{15,}),/g, (text, time: string | undefined) =>
    time === undefined ? text : `["${time}",`,
  );
}

function identifier(name: string): string {
  return `"${name.replace(/(["\\])/g, '\\$1')}"`;
}
