import type { Shard } from '@tideline/pipeline';
import { shardName } from '@tideline/pipeline';

/** One assigned partition: where it stands, and the batch that is under way. */
export interface KafkaLane {
  readonly shard: Shard;
  readonly name: string;
  /** Assignment that the position belongs to; -1 while none is set. */
  generation: number;
  /** `from` of the next batch: the `next` of the batch before it. */
  from: number;
  /** Offset that the next fetch must have been made at. Above `from` where the broker has nothing in between. */
  readAt: number;
  /** A batch is with the handler. */
  isBusy: boolean;
  /** Ends when the handler has answered for every batch of this lane. Never rejects. */
  tail: Promise<void>;
  /** Highest `next` that the group was told of. */
  hinted: number;
}

/** A lane without a position. */
export function createLane(shard: Shard): KafkaLane {
  const at = { generation: -1, from: 0, readAt: 0, isBusy: false, hinted: -1 };
  return { shard, name: shardName(shard), ...at, tail: Promise.resolve() };
}

/** Where a lane starts. `lost`: records that the store still wanted and retention has deleted. */
export interface Start {
  readonly from: number;
  readonly readAt: number;
  readonly lost: number;
}

/**
 * Position for a wanted offset (null: the beginning) in a partition that holds [low, high).
 * Null where the wanted offset lies beyond the end: the topic is not the one that the store read from.
 */
export function startAt(wanted: number | null, range: { readonly low: number; readonly high: number }): Start | null {
  if (wanted === null) return { from: range.low, readAt: range.low, lost: 0 };
  if (wanted > range.high) return null;
  // `from` stays: the store must see the gap close, or it would ask for the same offset for ever.
  return { from: wanted, readAt: Math.max(wanted, range.low), lost: Math.max(0, range.low - wanted) };
}
