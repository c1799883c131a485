/** What a run without faults leaves behind, for every position that a shard can stand at. Made by an oracle that shares no code with the pipeline. */

/** State of a series from `offset` on, until its next entry; null: it has ended. */
export interface StateAt {
  readonly offset: number;
  readonly bytes: Uint8Array | null;
}

/** One shard's part. Arrays are in offset order. */
export interface ShardExpectation {
  /** `series`-wise, the state after each of its records. */
  readonly states: ReadonlyMap<string, readonly StateAt[]>;
  /** Identity of each point, with the offset of its record. */
  readonly points: readonly { readonly offset: number; readonly identity: string }[];
  readonly poison: readonly number[];
  /** Series of each record that is none of the poison. */
  readonly touched: readonly { readonly offset: number; readonly key: string }[];
  /** Offset after the last record. */
  readonly end: number;
}

export interface Expectation {
  /** By name of the shard. */
  readonly shards: ReadonlyMap<string, ShardExpectation>;
  /** Fields of each point by its identity (measurement, tags, time). */
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

/** The state of a series when everything below `position` is stepped; null: none. */
export function stateAt(shard: ShardExpectation, key: string, position: number): Uint8Array | null {
  return shard.states.get(key)?.findLast(({ offset }) => offset < position)?.bytes ?? null;
}
