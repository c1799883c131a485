import { type ChunkBuilder, type ChunkSchema, PoisonRecordError, type RawRecord } from '@tideline/pipeline';
import { readEventTime } from '../event-time.ts';
import { readJsonObject, readNumber, readSeriesKey } from '../json-record.ts';

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

/** Reads one tick into the builder. Throws PoisonRecordError and pushes nothing where it cannot. */
export function decodeTick(record: RawRecord, fields: TickFields, builder: ChunkBuilder): void {
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
