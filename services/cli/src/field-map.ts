import { InvalidArgumentError } from '@commander-js/extra-typings';
import { describeStream, isStreamFile } from '@tideline/streams';

const KEY_FIELDS: Readonly<Record<string, string>> = { ticks: 'symbol', calls: 'callId', 'call-volume': 'queue' };

/** Field of a record that is its key, by topic or by the file that declares its stream. */
export function keyFieldOf(topicOrStream: string): string {
  if (isStreamFile(topicOrStream)) return describeStream(topicOrStream).keyField;
  return KEY_FIELDS[topicOrStream] ?? 'key';
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
