/**
 * A dead letter as a Kafka message. Key `topic/partition/offset`, so that a compacted topic keeps one letter a position; value the original bytes;
 * the rest in headers `tideline-*`, the record's own headers as `original-header-*`.
 *
 * That a letter was redriven is a message of its own, key `<letter's key>#redriven`: a replay that refuses the record again writes the letter anew and
 * must not make it look as if nobody had redriven it.
 */
import { DEAD_LETTER_CODES, type DeadLetter, type RawRecord, type RecordHeaders } from '@tideline/pipeline';
import type { IHeaders, KafkaMessage, Message } from 'kafkajs';
import { kafkaHeaders, recordHeaders } from './kafka-record.ts';

const HEADER = {
  code: 'tideline-code',
  reason: 'tideline-reason',
  field: 'tideline-field',
  topic: 'tideline-topic',
  partition: 'tideline-partition',
  offset: 'tideline-offset',
  timestamp: 'tideline-timestamp',
  key: 'tideline-key',
  /** The record had no value; an empty one stands for it, because in a compacted topic no value means "delete". */
  noValue: 'tideline-no-value',
  /** The same of the record's headers: JSON, the indices of each name's values that were none. */
  noHeaderValues: 'tideline-no-header-values',
} as const;
const REDRIVEN_SUFFIX = '#redriven';
const ORIGINAL_HEADER = 'original-header-';

/** Key of the letter of a position. */
export function letterKey(letter: Pick<DeadLetter, 'shard' | 'offset'>): string {
  return `${letter.shard.topic}/${letter.shard.partition}/${letter.offset}`;
}

/** The message that keeps a letter. */
export function letterMessage(letter: DeadLetter): Message {
  const { shard, record } = letter;
  const headers: IHeaders = {
    [HEADER.code]: letter.code,
    [HEADER.reason]: letter.reason,
    [HEADER.field]: letter.field,
    [HEADER.topic]: shard.topic,
    [HEADER.partition]: String(shard.partition),
    [HEADER.offset]: String(letter.offset),
    [HEADER.timestamp]: String(record.timestampMs),
  };
  if (record.key !== null) headers[HEADER.key] = Buffer.from(record.key);
  if (record.value === null) headers[HEADER.noValue] = '1';
  for (const [name, values] of Object.entries(kafkaHeaders(record.headers))) headers[ORIGINAL_HEADER + name] = values;
  const none = noValues(record.headers);
  if (none.length > 0) headers[HEADER.noHeaderValues] = JSON.stringify(none);
  return { key: letterKey(letter), value: Buffer.from(record.value ?? new Uint8Array()), headers };
}

/** The letter that a message keeps; null where the message is none of ours. */
export function readLetter(message: KafkaMessage): DeadLetter | null {
  const headers = message.headers ?? {};
  const bytes = (name: string): Buffer | null => {
    const value = headers[name];
    if (value === undefined) return null;
    return Buffer.from((Array.isArray(value) ? value[0] : value) as string | Buffer);
  };
  const text = (name: string): string => bytes(name)?.toString('utf8') ?? '';
  if (message.value === null || bytes(HEADER.offset) === null) return null;
  const offset = Number(text(HEADER.offset));
  const originals = Object.entries(headers).filter(([name]) => name.startsWith(ORIGINAL_HEADER));
  const record: RawRecord = {
    offset,
    key: bytes(HEADER.key),
    value: bytes(HEADER.noValue) === null ? message.value : null,
    timestampMs: Number(text(HEADER.timestamp)),
    headers: withoutValues(
      recordHeaders(
        Object.fromEntries(originals.map(([name, values]) => [name.slice(ORIGINAL_HEADER.length), values])),
      ),
      text(HEADER.noHeaderValues),
    ),
  };
  const shard = { topic: text(HEADER.topic), partition: Number(text(HEADER.partition)) };
  const code = DEAD_LETTER_CODES.find((known) => known === text(HEADER.code)) ?? 'POISON_RECORD';
  return { code, shard, offset, reason: text(HEADER.reason), field: text(HEADER.field), record };
}

type NoValues = readonly (readonly [name: string, indices: readonly number[]])[];

function noValues(headers: RecordHeaders): NoValues {
  const indices = (values: readonly (Uint8Array | null)[]) => values.flatMap((value, i) => (value === null ? [i] : []));
  return Object.entries(headers).flatMap(([name, values]) =>
    values.includes(null) ? [[name, indices(values)] as const] : [],
  );
}

function withoutValues(headers: RecordHeaders, noneText: string): RecordHeaders {
  if (noneText === '') return headers;
  const none = new Map(JSON.parse(noneText) as NoValues);
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [
      name,
      values.map((value, i) => (none.get(name)?.includes(i) ? null : value)),
    ]),
  );
}

/** When and where a letter's record was produced again. */
export interface Redriven {
  /** Topic that it was sent to. */
  readonly topic: string;
  readonly atMs: number;
}

/** A letter as the topic keeps it. */
export interface KeptLetter extends DeadLetter {
  /** Null: never redriven. */
  readonly redriven: Redriven | null;
}

/** The message that marks a letter as redriven. */
export function redrivenMessage(letter: Pick<DeadLetter, 'shard' | 'offset'>, redriven: Redriven): Message {
  return { key: letterKey(letter) + REDRIVEN_SUFFIX, value: JSON.stringify(redriven) };
}

/** Key of the letter that a marker speaks of, and what it says (null: the mark is taken away); null where the message is no marker. */
export function readRedriven(
  message: KafkaMessage,
): { readonly key: string; readonly redriven: Redriven | null } | null {
  const key = message.key?.toString('utf8') ?? '';
  if (!key.endsWith(REDRIVEN_SUFFIX)) return null;
  return { key: key.slice(0, -REDRIVEN_SUFFIX.length), redriven: message.value === null ? null : parse(message.value) };
}

/** A marker that cannot be read still says that the letter was redriven. */
function parse(value: Buffer): Redriven {
  try {
    const { topic, atMs } = JSON.parse(value.toString('utf8')) as Partial<Redriven>;
    return { topic: String(topic ?? ''), atMs: Number(atMs ?? 0) };
  } catch {
    return { topic: '', atMs: 0 };
  }
}
