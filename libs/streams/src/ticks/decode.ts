import {
  type ChunkBuilder,
  type ChunkSchema,
  PoisonRecordError,
  type RawRecord,
  type Stream,
} from '@tideline/pipeline';
import { type ReusedTime, readEventTime, takeTimeNumber } from '../event-time.ts';
import { FlatJsonReader } from '../json/flat-json-reader.ts';
import { readJsonObject, readNumber, readSeriesKey } from '../json/json-record.ts';

/** Names of the contract's fields in a feed. */
export interface TickFields {
  readonly symbol: string;
  readonly ts: string;
  readonly tsUs: string;
  readonly tsNs: string;
  readonly price: string;
  readonly size: string;
  readonly bid: string;
  readonly ask: string;
  readonly bidSize: string;
  readonly askSize: string;
}

export const TICK_FIELDS: TickFields = {
  symbol: 'symbol',
  ts: 'ts',
  tsUs: 'tsUs',
  tsNs: 'tsNs',
  price: 'price',
  size: 'size',
  bid: 'bid',
  ask: 'ask',
  bidSize: 'bidSize',
  askSize: 'askSize',
};

export const TICK_COLUMNS = { price: 0, size: 1, bid: 2, ask: 3, bidSize: 4, askSize: 5 } as const;
export const TICK_SCHEMA: ChunkSchema = { numbers: Object.keys(TICK_COLUMNS), texts: [] };

const NAMES = ['price', 'size', 'bid', 'ask', 'bidSize', 'askSize'] as const;

/** Reads ticks into a builder. Throws PoisonRecordError and pushes nothing where it cannot. */
export function tickDecoder(fields: TickFields): Stream['decode'] {
  const reader = new FlatJsonReader(fields.symbol, [...NAMES.map((name) => fields[name]), fields.ts, fields.tsUs]);
  const { numbers } = reader;
  const time: ReusedTime = { ms: 0, subNs: 0, unit: 'ms' };
  const [tsAt, tsUsAt] = [NAMES.length, NAMES.length + 1];
  const takeTime = (): boolean =>
    Number.isNaN(numbers[tsAt])
      ? takeTimeNumber(numbers[tsUsAt], 'us', time)
      : takeTimeNumber(numbers[tsAt], 'ms', time);
  return (record, builder) => {
    // Whatever is unusual or wrong is left to the plain way, which says what.
    if (!reader.read(record.value, record.key) || !takeTime() || !(numbers[TICK_COLUMNS.price] > 0))
      return decodeTick(record, fields, builder);
    for (let i = 1; i < NAMES.length; i += 1) if (numbers[i] < 0) return decodeTick(record, fields, builder);
    for (let i = 0; i < NAMES.length; i += 1) builder.number(i, numbers[i]);
    builder.push(reader.key, record.offset, time);
  };
}

function decodeTick(record: RawRecord, fields: TickFields, builder: ChunkBuilder): void {
  const object = readJsonObject(record);
  const symbol = readSeriesKey(object, fields.symbol, record);
  const price = readNumber(object, fields.price);
  if (!(price > 0))
    throw new PoisonRecordError(
      `'${fields.price}' is ${JSON.stringify(object[fields.price])}, must be a finite number above 0.`,
      {
        field: fields.price,
      },
    );
  builder.number(TICK_COLUMNS.price, price);
  for (const name of ['size', 'bid', 'ask', 'bidSize', 'askSize'] as const) {
    const value = readNumber(object, fields[name]);
    if (value < 0)
      throw new PoisonRecordError(`'${fields[name]}' is ${value}, must not be negative.`, { field: fields[name] });
    builder.number(TICK_COLUMNS[name], value);
  }
  builder.push(symbol, record.offset, readEventTime(object, fields));
}
