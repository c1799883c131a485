import { type ChunkBuilder, type ChunkSchema, PoisonRecordError, type RawRecord } from '@tideline/pipeline';
import { readEventTime } from '../event-time.ts';
import { readJsonObject, readNumber, readSeriesKey } from '../json/json-record.ts';
import { INTERVAL_RULE, isInterval } from './settings.ts';

export const VOLUME_NUMBERS = { calls: 0, intervalMs: 1 } as const;
export const VOLUME_SCHEMA: ChunkSchema = { numbers: Object.keys(VOLUME_NUMBERS), texts: [] };
export const VOLUME_KEY_FIELD = 'queue';

const TIME_FIELDS = { ts: 'ts', tsUs: 'tsUs', tsNs: 'tsNs' } as const;
/** More calls an interval are a broken counter. */
const CALLS_MAX = 1e7;

/** Reads the calls of one interval. Throws PoisonRecordError and pushes nothing where it cannot. */
export function decodeCallVolume(record: RawRecord, builder: ChunkBuilder): void {
  const object = readJsonObject(record);
  const queue = readSeriesKey(object, VOLUME_KEY_FIELD, record);
  const calls = readNumber(object, 'calls');
  if (!(calls >= 0 && calls <= CALLS_MAX))
    throw new PoisonRecordError(
      `'calls' is ${JSON.stringify(object.calls)}, must be a number from 0 to ${CALLS_MAX}.`,
      {
        field: 'calls',
      },
    );
  const intervalMs = readNumber(object, 'intervalMs');
  if (!Number.isNaN(intervalMs) && !isInterval(intervalMs))
    throw new PoisonRecordError(`'intervalMs' is ${intervalMs}, ${INTERVAL_RULE}.`, { field: 'intervalMs' });
  builder.number(VOLUME_NUMBERS.calls, calls);
  builder.number(VOLUME_NUMBERS.intervalMs, intervalMs);
  builder.push(queue, record.offset, readEventTime(object, TIME_FIELDS));
}
