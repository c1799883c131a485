import { type ChunkBuilder, PoisonRecordError, type RawRecord } from '@tideline/pipeline';
import { readTimeField } from '../event-time.ts';
import { readJsonObject, readNumber, readSeriesKey } from '../json-record.ts';
import type { Declaration, DeclaredField } from './declaration.ts';

/** Reads one record into the builder: a column a field, in their order. Throws PoisonRecordError and pushes nothing where it cannot. */
export function decodeDeclared({ key, time, fields }: Declaration, record: RawRecord, builder: ChunkBuilder): void {
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
