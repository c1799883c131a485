import { type ChunkBuilder, type ChunkSchema, PoisonRecordError, type RawRecord } from '@tideline/pipeline';
import { readEventTime } from '../event-time.ts';
import { readJsonObject, readNumber, readSeriesKey } from '../json/json-record.ts';

export const CALL_TYPES = ['started', 'utterance', 'hold', 'transfer', 'ended'] as const;
export type CallType = (typeof CALL_TYPES)[number];

export const CALL_NUMBERS = { startMs: 0, endMs: 1, final: 2, satisfaction: 3 } as const;
export const CALL_TEXTS = { type: 0, speaker: 1, text: 2, queue: 3, agent: 4, turn: 5 } as const;
export const CALL_SCHEMA: ChunkSchema = { numbers: Object.keys(CALL_NUMBERS), texts: Object.keys(CALL_TEXTS) };

const TIME_FIELDS = { ts: 'ts', tsUs: 'tsUs', tsNs: 'tsNs' } as const;

/** Reads one event of a call, its text through `redact`. Throws PoisonRecordError and pushes nothing where it cannot. */
export function decodeCall(record: RawRecord, builder: ChunkBuilder, redact: (text: string) => string): void {
  const object = readJsonObject(record);
  const callId = readSeriesKey(object, 'callId', record);
  const type = object.type;
  if (!CALL_TYPES.includes(type as CallType))
    throw new PoisonRecordError(`'type' is ${JSON.stringify(type)}, must be one of ${CALL_TYPES.join(', ')}.`, {
      field: 'type',
    });
  const isUtterance = type === 'utterance';
  if (isUtterance && typeof object.text !== 'string')
    throw new PoisonRecordError(`'text' is ${JSON.stringify(object.text)}, an utterance needs a text.`, {
      field: 'text',
    });
  if (object.final !== undefined && typeof object.final !== 'boolean')
    throw new PoisonRecordError(`'final' is ${JSON.stringify(object.final)}, must be true or false.`, {
      field: 'final',
    });
  builder.number(CALL_NUMBERS.startMs, readNumber(object, 'startMs'));
  builder.number(CALL_NUMBERS.endMs, readNumber(object, 'endMs'));
  builder.number(CALL_NUMBERS.final, object.final === false ? 0 : 1);
  builder.number(CALL_NUMBERS.satisfaction, readRating(object));
  builder.text(CALL_TEXTS.type, String(type));
  builder.text(CALL_TEXTS.speaker, readText(object, 'speaker'));
  builder.text(CALL_TEXTS.text, isUtterance ? redact(readText(object, 'text')) : '');
  builder.text(CALL_TEXTS.queue, readText(object, 'queue'));
  builder.text(CALL_TEXTS.agent, readText(object, 'agentId'));
  builder.text(CALL_TEXTS.turn, readTurn(object));
  builder.push(callId, record.offset, readEventTime(object, TIME_FIELDS));
}

/** The customer's rating of the turn, 1 to 5; NaN: nobody said. */
function readRating(object: Readonly<Record<string, unknown>>): number {
  const rating = readNumber(object, 'satisfaction');
  if (Number.isNaN(rating) || (rating >= 1 && rating <= 5)) return rating;
  throw new PoisonRecordError(`'satisfaction' is ${rating}, must be a rating from 1 to 5.`, { field: 'satisfaction' });
}

/** A recogniser's own name of the turn: a text or a number. */
function readTurn(object: Readonly<Record<string, unknown>>): string {
  const { turnId } = object;
  return typeof turnId === 'number' ? String(turnId) : readText(object, 'turnId');
}

function readText(object: Readonly<Record<string, unknown>>, field: string): string {
  const value = object[field];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string')
    throw new PoisonRecordError(`'${field}' is ${JSON.stringify(value)}, must be a text.`, { field });
  return value;
}
