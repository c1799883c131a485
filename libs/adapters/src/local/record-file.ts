import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import type { FeedRecord } from './feed-source.ts';
import { readParquetRows } from './parquet-rows.ts';

export interface RecordFileOptions {
  /** A `.csv`, `.jsonl`, `.ndjson` or `.json` file, each also as `.gz`, or a `.parquet` file; `-` reads JSON lines from standard input. */
  readonly path: string;
  readonly topic: string;
  /** Field that becomes the Kafka key. */
  readonly keyField: string;
  /** Key of every record of a file that has one series and no column for it. */
  readonly key?: string;
  /** Field of the contract -> column of the file. `ts` from a column whose name ends in `_us` or `_ns` becomes `tsUs` or `tsNs`. */
  readonly map: Readonly<Record<string, string>>;
  /** Event time of a record, epoch ms, for pacing and Kafka's own time; without it that of the contracts' fields. 0: it has none. */
  readonly timeMsOf?: (record: Readonly<Record<string, unknown>>) => number;
  readonly stdin?: Readable;
}

const TIME_FIELDS = { _us: 'tsUs', _ns: 'tsNs', _ms: 'ts' } as const;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Reads records from a file in its order. Throws Error with the path and the cure where it cannot be read. */
export async function* readRecordFile(options: RecordFileOptions): AsyncGenerator<FeedRecord> {
  const rename = renaming(options.map, options.timeMsOf !== undefined);
  const timeMsOf = options.timeMsOf ?? timeOf;
  for await (const row of readRows(options)) {
    if (typeof row === 'string') {
      // A line that is not a JSON object goes on as it is: the stream dead-letters it with its reason.
      yield { topic: options.topic, key: '', value: row, timestampMs: 0 };
      continue;
    }
    const renamed = rename(row);
    const record = options.key === undefined ? renamed : { ...renamed, [options.keyField]: options.key };
    yield {
      topic: options.topic,
      key: String(record[options.keyField] ?? ''),
      value: JSON.stringify(record),
      timestampMs: timeMsOf(record),
    };
  }
}

/** Event time of a record of the contracts, whole epoch ms (Kafka takes no fractions), for pacing; 0 where it has none. */
function timeOf(record: Readonly<Record<string, unknown>>): number {
  const { ts, tsUs, tsNs } = record;
  if (typeof ts === 'number') return Math.floor(ts);
  if (typeof ts === 'string') return Date.parse(ts) || 0;
  if (tsUs !== undefined) return Math.floor(Number(tsUs) / 1e3);
  return tsNs === undefined ? 0 : Math.floor(Number(tsNs) / 1e6);
}

async function* readRows(options: RecordFileOptions): AsyncGenerator<Record<string, unknown> | string> {
  const { path } = options;
  const name = path.replace(/\.gz$/, '');
  const isCsv = name.endsWith('.csv');
  const keyColumn = options.map[options.keyField] ?? options.keyField;
  const isParquet = path.endsWith('.parquet');
  if (path !== '-' && !isCsv && !isParquet && !/\.(jsonl|ndjson|json)$/.test(name))
    throw new Error(
      `'${path}' is no file of records: its name must end in .csv, .jsonl, .ndjson or .json, each also with .gz, or in .parquet.`,
    );
  if (isParquet) {
    await assertReadable(path);
    for await (const row of readParquetRows(path)) yield { ...row, ...keyText(row, keyColumn) };
    return;
  }
  const bytes = await openBytes(options);
  if (isCsv) {
    const parser = bytes.pipe(parse({ columns: true, bom: true, skip_empty_lines: true, trim: true }));
    bytes.on('error', (error) => parser.destroy(error));
    for await (const row of parser) yield numeric(row as Record<string, string>, keyColumn);
    return;
  }
  for await (const line of createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    yield parseLine(line);
  }
}

async function openBytes(options: RecordFileOptions): Promise<Readable> {
  const { path, stdin = process.stdin } = options;
  if (path === '-') return stdin;
  await assertReadable(path);
  const file = createReadStream(path);
  if (!path.endsWith('.gz')) return file;
  const unzipped = file.pipe(createGunzip());
  file.on('error', (error) => unzipped.destroy(error));
  return unzipped;
}

async function assertReadable(path: string): Promise<void> {
  try {
    await access(path);
  } catch (cause) {
    throw new Error(`There is no readable file '${path}'. Check the path.`, { cause });
  }
}

/** The key as a text: an id may be a number in its file. */
function keyText(row: Readonly<Record<string, unknown>>, keyColumn: string): Record<string, unknown> {
  const key = row[keyColumn];
  return typeof key === 'number' ? { [keyColumn]: String(key) } : {};
}

function parseLine(line: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : line;
  } catch {
    return line;
  }
}

/** CSV has texts only: those that are numbers become numbers, except integers that a double cannot hold, and the key: an id may be all digits. */
function numeric(row: Readonly<Record<string, string>>, keyColumn: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(row)) {
    if (text === '') continue;
    const value = Number(text);
    const exact = !/^[+-]?\d+$/.test(text) || Number.isSafeInteger(value);
    values[name] = name !== keyColumn && NUMBER.test(text) && exact ? value : text;
  }
  return values;
}

/** `isTimeDeclared`: the unit of the time is said elsewhere, so a column's name does not tell it. */
function renaming(
  map: Readonly<Record<string, string>>,
  isTimeDeclared: boolean,
): (row: Record<string, unknown>) => Record<string, unknown> {
  const targets = new Map<string, string>();
  for (const [field, column] of Object.entries(map))
    targets.set(column, field === 'ts' && !isTimeDeclared ? timeField(column) : field);
  if (targets.size === 0) return (row) => row;
  return (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [targets.get(name) ?? name, value]));
}

function timeField(column: string): string {
  const suffix = column.slice(-3) as keyof typeof TIME_FIELDS;
  return TIME_FIELDS[suffix] ?? 'ts';
}
