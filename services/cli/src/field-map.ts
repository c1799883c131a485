import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { RecordFileOptions } from '@tideline/adapters';
import { describeStream, isStreamFile } from '@tideline/streams';

const KEY_FIELDS: Readonly<Record<string, string>> = { ticks: 'symbol', calls: 'callId', 'call-volume': 'queue' };

/** How a file's records are read for a topic, or for the stream that a file declares: the field that is their key, and their time. */
export function recordsOf(topicOrStream: string): Pick<RecordFileOptions, 'keyField' | 'timeMsOf'> {
  if (!isStreamFile(topicOrStream)) return { keyField: KEY_FIELDS[topicOrStream] ?? 'key' };
  const { keyField, timeMsOf } = describeStream(topicOrStream);
  return { keyField, ...(timeMsOf === null ? {} : { timeMsOf }) };
}

/** `['ts=ts_us', 'price=px']` as `{ts: 'ts_us', price: 'px'}`. Throws InvalidArgumentError that names the part. */
export function parseMap(parts: readonly string[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (const part of parts.flatMap((text) => text.split(','))) {
    const match = /^([^=]+)=([^=]+)$/.exec(part);
    if (!match) throw new InvalidArgumentError(`'${part}' is no mapping: write field=column, for example ts=ts_us.`);
    map[match[1]] = match[2];
  }
  return map;
}
