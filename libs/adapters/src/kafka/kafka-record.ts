import type { RawRecord, RecordHeaders } from '@tideline/pipeline';
import type { IHeaders, KafkaMessage } from 'kafkajs';

const NO_HEADERS: RecordHeaders = Object.freeze({});

/** A message of kafkajs as the pipeline's record. */
export function rawRecord(message: KafkaMessage): RawRecord {
  return {
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    timestampMs: Number(message.timestamp),
    headers: message.headers === undefined ? NO_HEADERS : recordHeaders(message.headers),
  };
}

/** Headers of kafkajs, which gives bytes: one value as it is, several as an array, none as null. Between names it keeps no order. */
export function recordHeaders(headers: IHeaders): RecordHeaders {
  const names = Object.keys(headers);
  if (names.length === 0) return NO_HEADERS;
  return Object.fromEntries(names.map((name) => [name, valuesOf(headers[name])]));
}

/** The same for kafkajs, to the byte; but kafkajs cannot write a header without a value: it gets an empty one. */
export function kafkaHeaders(headers: RecordHeaders): IHeaders {
  const buffered = (value: Uint8Array | null): Buffer => Buffer.from(value ?? new Uint8Array());
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.map(buffered)]));
}

function valuesOf(value: IHeaders[string] | null): readonly (Uint8Array | null)[] {
  const values: readonly (Buffer | string | null | undefined)[] = Array.isArray(value) ? value : [value];
  return values.map((one) => (typeof one === 'string' ? Buffer.from(one) : (one ?? null)));
}
