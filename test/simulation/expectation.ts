/** What a run without faults leaves behind, for every position that a shard can stand at. Made by an oracle that shares no code with the pipeline. */

/** State of a series from `offset` on, until its next entry; null: it has ended. */
export interface StateAt {
  readonly offset: number;
  readonly bytes: Uint8Array | null;
  /** The shard's watermark when its series took the record. */
  readonly takenMs?: number;
}

/** From when on a silent series' state may be removed. */
export interface IdleExpectation {
  readonly ttlMs: number;
  /** The watermark, and the first one, after each record. */
  readonly marks: readonly { readonly offset: number; readonly watermarkMs: number; readonly sinceMs: number }[];
}

/** One shard's part. Arrays are in offset order. */
export interface ShardExpectation {
  /** `series`-wise, the state after each of its records. */
  readonly states: ReadonlyMap<string, readonly StateAt[]>;
  /** Identity of each point that must be there, with the offset of its record. */
  readonly points: readonly { readonly offset: number; readonly identity: string }[];
  readonly poison: readonly number[];
  /** Series of each record that is none of the poison. */
  readonly touched: readonly { readonly offset: number; readonly key: string }[];
  /** Null: series of this stream never count as silent. */
  readonly idle: IdleExpectation | null;
  /** How often a series began anew after a silence. */
  readonly restarts: number;
  /** Offset after the last record. */
  readonly end: number;
}

export interface Expectation {
  /** By name of the shard. */
  readonly shards: ReadonlyMap<string, ShardExpectation>;
  /** Fields of each point that may be there by its identity (measurement, tags, time). */
  readonly points: ReadonlyMap<string, string>;
}

/** What comes of a shard whose model is changed: its records from `from` on belong to the model with this digest, its series begin anew there. */
export interface ChangedExpectation {
  readonly from: number;
  readonly digest: string;
  readonly shard: ShardExpectation;
  /** Fields of each point by its identity. */
  readonly points: ReadonlyMap<string, string>;
}

/** Under this key lies the shard's watermark. */
export const CLOCK_KEY = '';

/** The state of a series when everything below `position` is stepped; null: none. */
function stateAt(shard: ShardExpectation, key: string, position: number): StateAt | null {
  const found = shard.states.get(key)?.findLast(({ offset }) => offset < position);
  return found === undefined || found.bytes === null ? null : found;
}

/** Whether `found` may be the state of a series when everything below `position` is stepped: that of a series passed over may be gone. */
export function isRightState(
  shard: ShardExpectation,
  key: string,
  position: number,
  found: Uint8Array | null,
): 'kept' | 'removed' | 'wrong' {
  if (key === CLOCK_KEY) return isRightClock(shard, position, found) ? 'kept' : 'wrong';
  const expected = stateAt(shard, key, position);
  if (expected === null || expected.bytes === null) return found === null ? 'kept' : 'wrong';
  if (found !== null) return Buffer.compare(found, expected.bytes) === 0 ? 'kept' : 'wrong';
  const mark = markAt(shard, position);
  if (shard.idle === null || mark === undefined) return 'wrong';
  const since = Math.max(expected.takenMs ?? Number.NEGATIVE_INFINITY, mark.sinceMs);
  return mark.watermarkMs - since > shard.idle.ttlMs ? 'removed' : 'wrong';
}

/** Magic, position, who is furthest ahead and where, watermark, the first one: by hand. */
function isRightClock(shard: ShardExpectation, position: number, found: Uint8Array | null): boolean {
  if (shard.idle === null) return found === null;
  const mark = markAt(shard, position);
  if (found === null) return mark === undefined;
  const view = new DataView(found.buffer, found.byteOffset);
  const [at, watermarkMs, sinceMs] = [8, 24, 32].map((byte) => view.getFloat64(byte, true));
  const none = Number.NEGATIVE_INFINITY;
  return at === position && watermarkMs === (mark?.watermarkMs ?? none) && sinceMs === (mark?.sinceMs ?? none);
}

function markAt({ idle }: ShardExpectation, position: number) {
  return idle?.marks.findLast(({ offset }) => offset < position);
}
