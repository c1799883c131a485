/**
 * Kafka: partitions whose records appear in virtual time, and a consumer group that shares them out among the living members.
 * Compaction and transactions leave gaps: a batch's `next` lies anywhere between its last record and the following one.
 */
import { type RawRecord, type Shard, type SourceBatch, shardName } from '@tideline/pipeline';
import { CheckpointTopic } from './checkpoint-topic.ts';
import type { SimProcess, SimServer } from './sim-process.ts';
import type { World } from './world.ts';

export interface SimRecord {
  readonly atMs: number;
  readonly record: RawRecord;
}

/** One partition as the workload made it. Its retention begins at `low`, and later further on. */
export interface SimPartition {
  readonly shard: Shard;
  readonly low: number;
  readonly records: readonly SimRecord[];
}

/** A member is told which shards are its own. */
export interface GroupMember {
  readonly process: SimProcess;
  readonly topics: ReadonlySet<string>;
  assigned(generation: number, shards: readonly Shard[]): void;
}

const SESSION_MS = 3_000;
const FETCH_RECORDS_MAX = 24;

export class SimKafka implements SimServer {
  readonly name = 'kafka';
  readonly partitions: ReadonlyMap<string, SimPartition>;
  /** The topic of the checkpoints. */
  readonly checkpoints: CheckpointTopic;
  readonly #world: World;
  readonly #lows: Map<string, number>;
  readonly #members = new Set<GroupMember>();
  #generation = 0;
  #downUntilMs = 0;

  constructor(
    world: World,
    partitions: readonly SimPartition[],
    topic: { readonly partitions: number; readonly hasFence: boolean },
  ) {
    this.#world = world;
    this.partitions = new Map(partitions.map((partition) => [shardName(partition.shard), partition]));
    this.#lows = new Map(partitions.map(({ shard, low }) => [shardName(shard), low]));
    this.checkpoints = new CheckpointTopic({ nowMs: () => world.nowMs, ...topic });
  }

  isDown(): boolean {
    return this.#world.nowMs < this.#downUntilMs;
  }

  stopFor(ms: number): void {
    this.#downUntilMs = this.#world.nowMs + ms;
  }

  start(): void {
    this.#downUntilMs = 0;
  }

  /** First offset that is retained. */
  low(shard: Shard): number {
    return this.#lows.get(shardName(shard)) ?? 0;
  }

  /** First offset after everything that is there now. */
  high(shard: Shard): number {
    const { low, records } = this.#partition(shard);
    const last = records.findLast(({ atMs }) => atMs <= this.#world.nowMs);
    return last === undefined ? low : last.record.offset + 1;
  }

  /** Retention deletes what the newest checkpoint of a partition makes needless, or a part of it. False where that is nothing. */
  trim(): boolean {
    const { chance } = this.#world;
    const { shard } = chance.pick([...this.partitions.values()]);
    const [low, end] = [
      this.low(shard),
      Math.min(this.checkpoints.newest(shardName(shard))?.position ?? -1, this.high(shard)),
    ];
    if (end <= low) return false;
    this.#lows.set(shardName(shard), chance.is(0.7) ? end : chance.whole(low + 1, end));
    return true;
  }

  /** Records from `at` on; null where there are none yet, 'deleted' where retention has passed `at`. */
  fetch(shard: Shard, from: number, at: number): SourceBatch | 'deleted' | null {
    const { chance, nowMs } = this.#world;
    if (at < this.low(shard)) return 'deleted';
    const { records } = this.#partition(shard);
    const there = records.filter(({ atMs, record }) => atMs <= nowMs && record.offset >= at);
    if (there.length === 0) return null;
    const some = there.slice(0, chance.whole(1, FETCH_RECORDS_MAX)).map(({ record }) => record);
    const last = some[some.length - 1].offset;
    const following = there[some.length]?.record.offset ?? last + 1;
    return { shard, from, next: chance.whole(last + 1, following), records: some };
  }

  join(member: GroupMember): void {
    this.#members.add(member);
    member.process.onDeath(() => this.#world.scheduler.after(SESSION_MS, 'session ends', () => this.#leave(member)));
    this.rebalance();
  }

  leave(member: GroupMember): void {
    this.#leave(member);
  }

  /** Shares the partitions out anew. A paused member hears of it when it wakes, and its partitions have gone to others by then. */
  rebalance(): void {
    this.#generation += 1;
    const generation = this.#generation;
    const { chance } = this.#world;
    const heard = [...this.#members].filter(({ process }) => !process.isPaused || chance.is(0.5));
    const members = heard.length > 0 ? heard : [...this.#members];
    if (members.length === 0) return;
    const shards = new Map<GroupMember, Shard[]>([...this.#members].map((member) => [member, []]));
    for (const { shard } of chance.shuffled([...this.partitions.values()])) {
      const member = chance.pick(members);
      shards.get(member)?.push(shard);
    }
    for (const [member, own] of shards)
      member.process.resume(chance.magnitude(0.5, 50), `assigned ${own.map(shardName)}`, () =>
        member.assigned(generation, own),
      );
  }

  #leave(member: GroupMember): void {
    if (this.#members.delete(member)) this.rebalance();
  }

  #partition(shard: Shard): SimPartition {
    const partition = this.partitions.get(shardName(shard));
    if (partition === undefined) throw new RangeError(`There is no partition ${shardName(shard)}.`);
    return partition;
  }
}
