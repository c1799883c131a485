/**
 * The RecordSource port of one process, as the Kafka adapter behaves: one lane a partition, positioned by the handler at each assignment, its
 * batches one after the other, also across assignments. A handler that throws ends the process.
 */
import { type RecordSource, RetryableError, type Shard, type SourceHandler, shardName } from '@tideline/pipeline';
import type { Sabotage } from './sabotage.ts';
import type { GroupMember, SimKafka } from './sim-kafka.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

const RETRY_MS = 200;
const POLL_MS = 300;

/** `from` of the next batch, and the offset that is read at: above it where retention has deleted what lies between. */
interface Position {
  readonly from: number;
  readonly readAt: number;
}

interface Lane {
  readonly shard: Shard;
  /** Assignment that the lane is positioned for; -1: not its own. */
  generation: number;
  /** Which positioning of the lane is the newest. */
  round: number;
  isBusy: boolean;
  tail: Promise<void>;
}

export class SimSource implements RecordSource, GroupMember {
  readonly process: SimProcess;
  readonly topics: ReadonlySet<string> = new Set();
  readonly #world: World;
  readonly #kafka: SimKafka;
  readonly #lanes = new Map<string, Lane>();
  readonly #stop = new AbortController();
  readonly #sabotage: Sabotage['fetch'];
  #handler: SourceHandler | null = null;
  #generation = 0;

  constructor(world: World, process: SimProcess, kafka: SimKafka, sabotage?: Sabotage['fetch']) {
    this.#world = world;
    this.process = process;
    this.#kafka = kafka;
    this.#sabotage = sabotage;
  }

  run(handler: SourceHandler): Promise<void> {
    this.#handler = handler;
    this.#kafka.join(this);
    return Promise.resolve();
  }

  reposition(shard: Shard): void {
    const lane = this.#lanes.get(shardName(shard));
    if (lane !== undefined && !lane.isBusy && lane.generation >= 0) this.#start(shard, lane.generation);
  }

  async drain(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#lanes.values()].map(({ tail }) => tail));
    this.#kafka.leave(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  assigned(generation: number, shards: readonly Shard[]): void {
    if (generation < this.#generation) return;
    this.#generation = generation;
    const own = new Set(shards.map(shardName));
    for (const [name, lane] of this.#lanes) if (!own.has(name)) lane.generation = -1;
    for (const shard of shards) this.#start(shard, generation);
  }

  #start(shard: Shard, generation: number): void {
    const name = shardName(shard);
    const lane = this.#lanes.get(name) ?? { shard, generation: -1, round: 0, isBusy: false, tail: Promise.resolve() };
    this.#lanes.set(name, lane);
    lane.generation = generation;
    lane.round += 1;
    const { round } = lane;
    lane.tail = lane.tail
      .then(() => this.#read(lane, round))
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.process.die(`the handler threw ${error}`);
      });
  }

  async #read(lane: Lane, round: number): Promise<void> {
    const { shard } = lane;
    const handler = this.#handler;
    if (handler === null) return;
    const goesOn = (): boolean => lane.generation >= 0 && lane.round === round && !this.#stop.signal.aborted;
    if (!goesOn()) return;
    let at = await this.#position(shard, handler, await handler.start(shard));
    while (goesOn()) {
      const batch = await this.#fetch(shard, at);
      if (!goesOn()) return;
      if (batch === null) {
        await this.process.sleep(POLL_MS, this.#stop.signal);
        continue;
      }
      if (batch === 'deleted') {
        at = await this.#position(shard, handler, await handler.start(shard));
        continue;
      }
      lane.isBusy = true;
      const { seek } = await handler.batch(this.#sabotage?.(batch) ?? batch);
      lane.isBusy = false;
      if (seek === null) at = { from: batch.next, readAt: batch.next };
      else at = await this.#position(shard, handler, seek < 0 ? null : seek);
      if (this.#world.faults.strikes('batch-repeated')) {
        const from = this.#world.chance.whole(Math.min(this.#kafka.low(shard), at.from), at.from);
        at = { from, readAt: from };
      }
    }
  }

  /** Where reading begins for what the handler wants; asked again where retention has passed it. */
  async #position(shard: Shard, handler: SourceHandler, first: number | null): Promise<Position> {
    for (let wanted = first; ; ) {
      const low = await this.#low(shard);
      if (wanted === null || wanted >= low) return { from: wanted ?? low, readAt: wanted ?? low };
      const answer = await handler.start(shard, low);
      if (answer === wanted) return { from: wanted, readAt: low };
      wanted = answer;
    }
  }

  async #low(shard: Shard): Promise<number> {
    for (;;) {
      try {
        return await this.process.call(this.#kafka, `low ${shardName(shard)}`, () => this.#kafka.low(shard));
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        await this.process.sleep(RETRY_MS, this.#stop.signal);
      }
    }
  }

  async #fetch(shard: Shard, at: Position): Promise<ReturnType<SimKafka['fetch']>> {
    try {
      return await this.process.call(this.#kafka, `fetch ${shardName(shard)}@${at.from}`, () =>
        this.#kafka.fetch(shard, at.from, at.readAt),
      );
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      await this.process.sleep(RETRY_MS, this.#stop.signal);
      return null;
    }
  }
}
