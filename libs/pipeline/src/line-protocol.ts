/**
 * InfluxDB line protocol, the identity of a point, and the digest over a set of points.
 * Source: InfluxDB 1.x documentation, "Line protocol reference".
 */
import { createHash, type Hash } from 'node:crypto';
import type { Chunk } from './chunk.ts';

const NS_A_MS = 1_000_000;
const NS_A_UNIT = [NS_A_MS, 1_000, 1] as const;
const NS_UNIT = 2;

/** Escapes a tag key, tag value or field key: comma, equals sign, space; a line feed becomes a space, a trailing backslash goes. */
export function escapeTag(value: string): string {
  if (!/[,= \n\r\\]/.test(value)) return value;
  return value
    .replace(/[\n\r]/g, ' ')
    .replace(/\\+$/, '')
    .replace(/([,= ])/g, '\\$1');
}

/** A quoted string field. */
export function stringField(value: string): string {
  return `"${value.replace(/[\n\r]/g, ' ').replace(/(["\\])/g, '\\$1')}"`;
}

/**
 * Time of the point that row `row` makes, epoch ns as decimal digits: the event time plus the offset modulo the ns of the time's unit,
 * so that records of one instant keep apart (in two real days of trades 41,757 of 77,263 share a timestamp).
 */
export function pointTime(chunk: Chunk, row: number): string {
  return timeDigits(chunk.timeMs[row], pointSubNs(chunk, row));
}

/** Nanoseconds of a point's time behind its row's millisecond. */
export function pointSubNs(chunk: Chunk, row: number): number {
  const subNs = chunk.timeSubNs[row];
  const unit = chunk.timeUnit[row];
  const tie = chunk.offsets[row] % (unit === NS_UNIT ? precisionNs(subNs) : NS_A_UNIT[unit]);
  return subNs + tie;
}

/** Many feeds write whole milliseconds or microseconds with nine digits: those that are zero leave room for the offset. */
function precisionNs(subNs: number): number {
  if (subNs % NS_A_UNIT[1] !== 0) return 1;
  return subNs === 0 ? NS_A_UNIT[0] : NS_A_UNIT[1];
}

/** Epoch ns digits of `ms` milliseconds and `ns` nanoseconds (0 <= ns < 1e6; ms is an integer, negative before 1970). */
export function timeDigits(ms: number, ns: number): string {
  if (ms > 0) return `${ms}${String(ns).padStart(6, '0')}`;
  return String(BigInt(ms) * BigInt(NS_A_MS) + BigInt(ns));
}

/** Measurement, tags and time of a line: two lines of one identity are one point. */
export function pointIdentity(line: string): string {
  const { head, time } = splitLine(line);
  return `${head} ${time}`;
}

/** Parts of a line: `measurement,tags`, `fields`, time digits. Throws RangeError where the text is no line of all three. */
export function splitLine(line: string): { readonly head: string; readonly fields: string; readonly time: string } {
  let at = 0;
  while (at < line.length && (line[at] !== ' ' || line[at - 1] === '\\')) at += 1;
  const last = line.lastIndexOf(' ');
  if (at === 0 || last <= at)
    throw new RangeError(`This is no line of tags, fields and time: '${line.slice(0, 100)}'.`);
  return { head: line.slice(0, at), fields: line.slice(at + 1, last), time: line.slice(last + 1) };
}

/** Tags of a line's head, `measurement,tag=value,...`, without their escapes. */
export function lineTags(head: string): Map<string, string> {
  const [, ...tags] = head.match(/(?:\\[,= ]|[^,])+/g) ?? [];
  return new Map(
    tags.map((tag) => {
      const at = tag.search(/(?<!\\)=/);
      return [unescapeTag(tag.slice(0, at)), unescapeTag(tag.slice(at + 1))];
    }),
  );
}

/** Fields of a line as they are written: `1.5`, `3i`, `"a text"`. */
export function lineFields(fields: string): Map<string, string> {
  const parts = fields.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return new Map(
    parts.map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}

function unescapeTag(text: string): string {
  return text.replace(/\\([,= ])/g, '$1');
}

/** SHA-256 over a set of points, whatever their order and however often each was written: the last write of an identity counts, as in InfluxDB. */
export function digestOfLines(lines: Iterable<string>): string {
  const points = new Map<string, string>();
  for (const line of lines) {
    const { head, fields, time } = splitLine(line);
    points.set(`${head} ${time}`, fields);
  }
  const digest = new PointDigest();
  for (const identity of [...points.keys()].sort()) digest.add(identity, points.get(identity) ?? '');
  return digest.hex();
}

/** The same over points that come one by one: by identity, ascending, each once. */
export class PointDigest {
  readonly #hash: Hash = createHash('sha256');

  add(identity: string, fields: string): void {
    this.#hash.update(`${identity}\t${fields}\n`);
  }

  hex(): string {
    return this.#hash.digest('hex');
  }
}
