import type { RawRecord } from '@tideline/pipeline';
import type { IHeaders, KafkaMessage } from 'kafkajs';

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** A message of kafkajs as the pipeline's record. Of a header that is given several times the last one counts. */
export function rawRecord(message: KafkaMessage): RawRecord {
  return {
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    timestampMs: Number(message.timestamp),
    headers: message.headers === undefined ? NO_HEADERS : textHeaders(message.headers),
  };
}

function textHeaders(headers: IHeaders): Readonly<Record<string, string>> {
  const names = Object.keys(headers);
  if (names.length === 0) return NO_HEADERS;
  const texts: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    const last = Array.isArray(value) ? value[value.length - 1] : value;
    if (last !== undefined) texts[name] = last.toString('utf8');
  }
  return texts;
}
