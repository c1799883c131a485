import { PoisonRecordError, type RawRecord } from '@tideline/pipeline';

export const KEY_BYTES_MAX = 256;
const DECODER = new TextDecoder('utf-8', { fatal: true });

/** The JSON object in a record's value. Throws PoisonRecordError where there is none. */
export function readJsonObject(record: RawRecord): Readonly<Record<string, unknown>> {
  if (record.value === null)
    throw new PoisonRecordError('The record has no value (a tombstone): it carries nothing to forecast from.');
  let value: unknown;
  try {
    value = JSON.parse(DECODER.decode(record.value));
  } catch (cause) {
    throw new PoisonRecordError(
      `The value is not JSON: ${(cause as Error).message}. Send one JSON object a record, in UTF-8.`,
      { cause },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PoisonRecordError(
      `The value is ${Array.isArray(value) ? 'an array' : JSON.stringify(value)}, must be a JSON object.`,
    );
  return value as Readonly<Record<string, unknown>>;
}

/** The series id in `field`, which the record's key (where it has one) must equal. Throws PoisonRecordError. */
export function readSeriesKey(object: Readonly<Record<string, unknown>>, field: string, record: RawRecord): string {
  const series = object[field];
  if (typeof series !== 'string' || series === '')
    throw new PoisonRecordError(`'${field}' is ${JSON.stringify(series)}, must be a text that is not empty.`, {
      field,
    });
  if (Buffer.byteLength(series) > KEY_BYTES_MAX)
    throw new PoisonRecordError(
      `'${field}' has ${Buffer.byteLength(series)} bytes, at most ${KEY_BYTES_MAX} are taken.`,
      { field },
    );
  const key = record.key === null ? '' : Buffer.from(record.key).toString('utf8');
  if (key !== '' && key !== series)
    throw new PoisonRecordError(
      `The record's key is '${key}' but its '${field}' is '${series}': send a record under its own series' key.`,
      { field },
    );
  return series;
}

/** A finite number in `field`, NaN where it is absent. Throws PoisonRecordError for anything else. */
export function readNumber(object: Readonly<Record<string, unknown>>, field: string): number {
  const value = object[field];
  if (value === undefined || value === null) return Number.NaN;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new PoisonRecordError(`'${field}' is ${JSON.stringify(value)}, must be a finite number.`, { field });
  return value;
}
