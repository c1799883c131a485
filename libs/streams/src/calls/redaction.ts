/**
 * What is kept of a call's record where it is kept as a whole: the fields of the contract, texts redacted. Ids (call, turn, agent, queue, speaker) are kept
 * as they came: they are how a call is found again.
 */
import { isUtf8 } from 'node:buffer';
import type { RawRecord, Redaction } from '@tideline/pipeline';
import { redactByRules, redactText } from '../privacy/redact.ts';
import { CALL_TYPES } from './decode.ts';

const IDS = new Set(['callId', 'ts', 'tsUs', 'tsNs', 'turnId', 'agentId', 'queue', 'speaker']);
const FIELDS = [...IDS, 'type', 'text', 'startMs', 'endMs', 'final', 'satisfaction'];
/** Stands for a value that is no text, number or truth value. */
const REMOVED = '[REMOVED]';
/** Texts in a reason that say which value was wrong, and are no speech. */
const PLAIN_WORD = /^"[a-z0-9_.-]{0,24}"$/;

export const CALL_REDACTION: Redaction = {
  record(record) {
    if (record.value === null) return record;
    return { ...record, value: Buffer.from(keptValue(record.value)), headers: record.headers };
  },
  reason(reason) {
    // What the parser says quotes the value, cut wherever it stops.
    if (reason.startsWith('The value is not JSON'))
      return 'The value is not JSON. Send one JSON object a record, in UTF-8.';
    const plain = reason.replace(/"(?:[^"\\]|\\.)*"|[[{].*[\]}]/gs, (text) => (PLAIN_WORD.test(text) ? text : REMOVED));
    // What is left are the program's own words, in which the tagger has nothing to find.
    return redactByRules(plain);
  },
};

const isType = (field: string, value: string): boolean =>
  field === 'type' && (CALL_TYPES as readonly string[]).includes(value);

function keptValue(value: NonNullable<RawRecord['value']>): string {
  if (!isUtf8(value)) return REMOVED;
  const text = Buffer.from(value).toString('utf8');
  const object = parsed(text);
  // Nobody knows where the speech begins in what is no record.
  if (object === null) return redactText(text);
  const kept: Record<string, unknown> = {};
  for (const field of FIELDS) if (object[field] !== undefined) kept[field] = keptField(field, object[field]);
  return JSON.stringify(kept);
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function keptField(field: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null) return REMOVED;
  if (typeof value === 'string') return IDS.has(field) || isType(field, value) ? value : redactText(value);
  if (typeof value === 'number' && field === 'text')
    return redactText(String(value)) === String(value) ? value : REMOVED;
  return value;
}
