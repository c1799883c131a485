import { type ChunkBuilder, PoisonRecordError, type RawRecord, type Stream } from '@tideline/pipeline';
import { type ReusedTime, readTimeField, takeTimeNumber } from '../event-time.ts';
import { FlatJsonReader } from '../json/flat-json-reader.ts';
import { readJsonObject, readNumber, readSeriesKey } from '../json/json-record.ts';
import type { Declaration, DeclaredField, DeclaredTimeUnit } from './declaration.ts';

/** Units whose times are numbers that are taken as they are. */
const NUMBER_UNITS: Readonly<Partial<Record<DeclaredTimeUnit, 'ms' | 'us'>>> = { auto: 'ms', ms: 'ms', us: 'us' };

/** Reads a record into the builder: a column a field, in their order. Throws PoisonRecordError and pushes nothing where it cannot. */
export function declaredDecoder(declaration: Declaration): Stream['decode'] {
  const { key, time, fields } = declaration;
  const unit = NUMBER_UNITS[time.unit];
  if (unit === undefined) return (record, builder) => decodeDeclared(declaration, record, builder);
  const reader = new FlatJsonReader(key, [...fields.map(({ from }) => from), time.field]);
  const { numbers } = reader;
  const taken: ReusedTime = { ms: 0, subNs: 0, unit };
  return (record, builder) => {
    // Whatever is unusual or wrong is left to the plain way, which says what.
    let isPlain = reader.read(record.value, record.key) && takeTimeNumber(numbers[fields.length], unit, taken);
    for (let i = 0; isPlain && i < fields.length; i += 1) {
      isPlain = Number.isNaN(numbers[i]) ? !fields[i].required : fits(fields[i], numbers[i]);
      builder.number(i, numbers[i]);
    }
    if (isPlain) builder.push(reader.key, record.offset, taken);
    else decodeDeclared(declaration, record, builder);
  };
}

function decodeDeclared({ key, time, fields }: Declaration, record: RawRecord, builder: ChunkBuilder): void {
  const object = readJsonObject(record);
  const series = readSeriesKey(object, key, record);
  for (let i = 0; i < fields.length; i += 1) {
    const value = readNumber(object, fields[i].from);
    if (Number.isNaN(value) ? fields[i].required : !fits(fields[i], value)) refuse(fields[i], object[fields[i].from]);
    builder.number(i, value);
  }
  builder.push(series, record.offset, readTimeField(object, time.field, time.unit));
}

function fits({ above, atLeast, atMost }: DeclaredField, value: number): boolean {
  return value > above && value >= atLeast && value <= atMost;
}

function refuse({ from, above, atLeast, atMost }: DeclaredField, value: unknown): never {
  const rules = [
    ...(above === Number.NEGATIVE_INFINITY ? [] : [`above ${above}`]),
    ...(atLeast === Number.NEGATIVE_INFINITY ? [] : [`at least ${atLeast}`]),
    ...(atMost === Number.POSITIVE_INFINITY ? [] : [`at most ${atMost}`]),
  ];
  throw new PoisonRecordError(
    `'${from}' is ${JSON.stringify(value)}, must be ${['a finite number', ...rules].join(', ').replace(', ', ' ')}.`,
    { field: from },
  );
}
