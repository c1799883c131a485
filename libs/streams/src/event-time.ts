import { type EventTime, PoisonRecordError } from '@tideline/pipeline';

/** Fields that can carry the event time, by the names of a feed. */
export interface TimeFields {
  readonly ts: string;
  readonly tsUs: string;
  readonly tsNs: string;
}

/** A record's millisecond time must lie between 1971 and 2286: seconds lie below, micro- and nanoseconds above. */
const MS_MIN = 31_536_000_000;
const MS_MAX = 9_999_999_999_999;
const NS_A_MS = 1_000_000n;

/** The event time of a record: `ts` in ms or ISO 8601, `tsUs` or `tsNs`. Throws PoisonRecordError that names field, value and cure. */
export function readEventTime(record: Readonly<Record<string, unknown>>, fields: TimeFields): EventTime {
  const ms = record[fields.ts];
  if (typeof ms === 'number')
    return fromMs(fields.ts, ms, { us: `send it as '${fields.tsUs}'`, ns: `send it as '${fields.tsNs}'` });
  if (typeof ms === 'string') return fromIso(fields.ts, ms);
  const us = record[fields.tsUs];
  if (us !== undefined) return fromFine(fields.tsUs, us, 'us');
  const ns = record[fields.tsNs];
  if (ns !== undefined) return fromFine(fields.tsNs, ns, 'ns');
  throw new PoisonRecordError(
    `The record has no time: set '${fields.ts}' (epoch ms or ISO 8601), '${fields.tsUs}' or '${fields.tsNs}'.`,
    {
      field: fields.ts,
    },
  );
}

/** How the one field is to be read. `auto`: epoch ms as a number, ISO 8601 as a text. */
export type TimeFieldUnit = 'auto' | 'ms' | 'us' | 'ns' | 's' | 'iso';

/** The event time in one field of a record. Throws PoisonRecordError that names field, value and cure. */
export function readTimeField(
  record: Readonly<Record<string, unknown>>,
  field: string,
  unit: TimeFieldUnit,
): EventTime {
  const value = record[field];
  if (value === undefined || value === null)
    throw new PoisonRecordError(`The record has no time: set '${field}'.`, { field });
  if (unit === 'us' || unit === 'ns') return fromFine(field, value, unit);
  if (typeof value === 'string' && (unit === 'auto' || unit === 'iso')) return fromIso(field, value);
  if (typeof value !== 'number' || unit === 'iso')
    throw new PoisonRecordError(`'${field}' is ${JSON.stringify(value)}, must be ${TIME_FORMS[unit]}.`, { field });
  const cure = { us: "declare the time's unit as us", ns: "declare the time's unit as ns" };
  return fromMs(field, unit === 's' ? Math.round(value * 1000) : value, cure);
}

/** A time that is built for every record: the caller's own, overwritten by the next. */
export type ReusedTime = { -readonly [part in keyof EventTime]: EventTime[part] };

/** Sets `time` to what the functions above make of a number in ms or us; false, having changed nothing, where they would refuse it. */
export function takeTimeNumber(value: number, unit: 'ms' | 'us', time: ReusedTime): boolean {
  const ms = unit === 'ms' ? value : Math.floor(value / 1_000);
  if (!Number.isSafeInteger(value) || ms < MS_MIN || ms > MS_MAX) return false;
  time.ms = ms;
  time.subNs = unit === 'ms' ? 0 : (value - ms * 1_000) * 1_000;
  time.unit = unit;
  return true;
}

const TIME_FORMS = {
  auto: 'epoch milliseconds or an ISO 8601 text',
  ms: 'epoch milliseconds as a number',
  s: 'epoch seconds as a number',
  iso: 'an ISO 8601 text such as 2024-01-31T09:30:00Z',
} as const;

interface FineCures {
  readonly us: string;
  readonly ns: string;
}

function fromMs(field: string, value: number, cures: FineCures): EventTime {
  if (Number.isInteger(value) && value >= MS_MIN && value <= MS_MAX) return { ms: value, subNs: 0, unit: 'ms' };
  throw new PoisonRecordError(`'${field}' is ${value}, which is no epoch time in milliseconds: ${hint(value, cures)}`, {
    field,
  });
}

function hint(value: number, cures: FineCures): string {
  if (!Number.isFinite(value) || value <= 0) return 'give a whole number of milliseconds since 1970.';
  if (value < MS_MIN) return 'it looks like seconds; multiply it by 1000.';
  if (value <= MS_MAX) return 'it has a fraction; round it, or use microseconds.';
  return value < MS_MAX * 1_000
    ? `it looks like microseconds; ${cures.us}.`
    : `it looks like nanoseconds; ${cures.ns}.`;
}

function fromIso(field: string, text: string): EventTime {
  const match = /^(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  const ms = match ? Date.parse(`${match[1]}${match[1].length === 10 ? '' : (match[3] ?? 'Z')}`) : Number.NaN;
  if (!match || !Number.isFinite(ms))
    throw new PoisonRecordError(`'${field}' is '${text}', which is no ISO 8601 time such as 2024-01-31T09:30:00Z.`, {
      field,
    });
  const fraction = (match[2] ?? '').padEnd(9, '0');
  const digits = (match[2] ?? '').length;
  const unit = digits <= 3 ? 'ms' : digits <= 6 ? 'us' : 'ns';
  return { ms: ms + Number(fraction.slice(0, 3)), subNs: Number(fraction.slice(3)), unit };
}

/** Whole microseconds or nanoseconds, as a number or as digits (nanoseconds exceed 2^53). */
function fromFine(field: string, value: unknown, unit: 'us' | 'ns'): EventTime {
  const text = typeof value === 'number' && Number.isInteger(value) ? BigInt(value).toString() : value;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text))
    throw new PoisonRecordError(
      `'${field}' is ${JSON.stringify(value)}, must be a whole number of ${unit} since 1970.`,
      { field },
    );
  const ns = BigInt(text) * (unit === 'us' ? 1_000n : 1n);
  const ms = Number(ns / NS_A_MS);
  if (ms < MS_MIN || ms > MS_MAX)
    throw new PoisonRecordError(`'${field}' is ${text}, which lies outside 1971 to 2286 in ${unit}: check its unit.`, {
      field,
    });
  return { ms, subNs: Number(ns % NS_A_MS), unit };
}
