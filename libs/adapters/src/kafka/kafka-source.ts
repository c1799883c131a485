/**
 * Records of Kafka by the RecordSource contract, over kafkajs.
 *
 * The position is the handler's; the group only shares the partitions out, and its committed offset is a hint for lag tools.
 *   Step 1. Joined: every assigned partition is paused before its first fetch.
 *   Step 2. The handler says where each one starts; it is sought there and resumed.
 *   Step 3. A batch that was not fetched at the lane's offset is dropped, and the lane positioned anew.
 *   Step 4. A batch goes to the handler; its answer is where the lane is read next.
 * kafkajs fetches again only when every batch of a fetch is done. So a handler that waits (back-pressure) gives its worker back after
 * DETACH_AFTER_MS, its partition paused: other partitions and the group's heartbeat go on however long it takes.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigError,
  type RecordSource,
  RetryableError,
  type Shard,
  type SourceHandler,
  shardName,
} from '@tideline/pipeline';
import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import { endsWithin } from './ends-within.ts';
import { FetchPace } from './fetch-pace.ts';
import { createKafkaClient, type KafkaConnection, kafkaAddress } from './kafka-connection.ts';
import { translateKafkaError, withKafkaErrors } from './kafka-errors.ts';
import { createLane, type KafkaLane, startAt } from './kafka-lane.ts';
import { rawRecord } from './kafka-record.ts';
import { type PartitionShare, shareAssigner } from './partition-share.ts';
import { assertTopics, type PartitionRange, readRanges, withAdmin } from './topics.ts';

export interface KafkaSourceOptions extends KafkaConnection {
  readonly topics: readonly string[];
  readonly groupId: string;
  /**
   * Read this share of the partitions without the group's consent: a process that was killed is followed at once by its successor, which otherwise waits until
   * the dead member's session has timed out. Every start has a group of its own; `groupId` is only told of the positions. Two processes of one share read
   * the same records twice, which the handler sorts out.
   */
  readonly share?: PartitionShare;
  /** Partitions whose batches are handled at once. */
  readonly partitionsConcurrently?: number;
  /** A member that is not heard of for so long loses its partitions. At least the brokers' group.min.session.timeout.ms. */
  readonly sessionTimeoutMs?: number;
  readonly maxBytesPerPartition?: number;
  /**
   * After a fetch that brought little the next one waits, at most so long: records that trickle in would else be fetched, appended and stepped one by one, at
   * many times the price. How long it waits is taken from the time that handling a batch takes (FetchPace). 0: not at all.
   */
  readonly fetchIntervalMs?: number;
  /** How often the group is told of the positions. */
  readonly hintIntervalMs?: number;
  /** The source cannot go on: the handler threw, or Kafka refused for good. Nothing more is delivered for that shard. Default: a crash. */
  readonly onError?: (error: Error) => void;
}

const PARTITIONS_CONCURRENTLY = 16;
const SESSION_TIMEOUT_MS = 6_000;
const MAX_BYTES_PER_PARTITION = 1_048_576;
const MAX_BYTES = 16 * MAX_BYTES_PER_PARTITION;
/** A fetch that waits longer than this delays seek, resume and drain. */
const MAX_WAIT_MS = 100;
const DETACH_AFTER_MS = 100;
const HINT_INTERVAL_MS = 5_000;
const FETCH_INTERVAL_MS = 10;
const POSITION_RETRY_MS = 1_000;

/** A source over the given topics; `run` connects. */
export function createKafkaSource(options: KafkaSourceOptions): RecordSource {
  return new KafkaSource(options);
}

/** kafkajs keeps the offset of the fetch at run time without declaring it. */
interface FetchedAt {
  readonly fetchedOffset?: string;
}

class KafkaSource implements RecordSource {
  readonly #options: KafkaSourceOptions;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  /** The group that is joined. */
  readonly #groupId: string;
  readonly #lanes = new Map<string, KafkaLane>();
  readonly #stop = new AbortController();
  #handler: SourceHandler | null = null;
  #generation = 0;
  #positioning: Promise<unknown> = Promise.resolve();
  #hintTimer: NodeJS.Timeout | undefined;
  readonly #pace: FetchPace;
  /** The telling under way. Never rejects. */
  #hinting: Promise<void> | null = null;
  #drained: Promise<void> | null = null;

  constructor(options: KafkaSourceOptions) {
    this.#options = options;
    const kafka = createKafkaClient(options, 'patient');
    this.#admin = kafka.admin();
    const sessionTimeout = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
    const { share } = options;
    this.#pace = new FetchPace(options.fetchIntervalMs ?? FETCH_INTERVAL_MS);
    this.#groupId = share ? `${options.groupId}-${randomBytes(6).toString('hex')}` : options.groupId;
    this.#consumer = kafka.consumer({
      groupId: this.#groupId,
      ...(share ? { partitionAssigners: [shareAssigner(share)] } : {}),
      sessionTimeout,
      rebalanceTimeout: sessionTimeout,
      heartbeatInterval: Math.floor(sessionTimeout / 6),
      maxWaitTimeInMs: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      maxBytesPerPartition: options.maxBytesPerPartition ?? MAX_BYTES_PER_PARTITION,
      retry: {
        initialRetryTime: 100,
        maxRetryTime: 1_000,
        retries: 12,
        restartOnFailure: async () => !this.#stop.signal.aborted,
      },
    });
  }

  async run(handler: SourceHandler): Promise<void> {
    this.#handler = handler;
    const { topics, hintIntervalMs = HINT_INTERVAL_MS } = this.#options;
    const address = kafkaAddress(this.#options);
    // An impatient look first: a wrong address or topic is told within seconds.
    await withAdmin(this.#options, (admin) => assertTopics(admin, topics, address));
    const { GROUP_JOIN, END_BATCH_PROCESS, CRASH } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
    this.#consumer.on(END_BATCH_PROCESS, ({ payload }) => this.#skipped(payload));
    this.#consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.#fail(translateKafkaError(payload.error, address));
    });
    await withKafkaErrors(address, async () => {
      await this.#admin.connect();
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: this.#options.partitionsConcurrently ?? PARTITIONS_CONCURRENTLY,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
    });
    this.#hintTimer = setInterval(() => void this.#hint(), hintIntervalMs);
    this.#hintTimer.unref();
  }

  reposition(shard: Shard): void {
    const lane = this.#lanes.get(shardName(shard));
    // A batch under way hears from the store itself where it must go on.
    if (lane === undefined || lane.isBusy || lane.generation !== this.#generation) return;
    this.#pause(shard);
    void this.#position(lane, this.#generation);
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  async #drain(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#hintTimer);
    await this.#positioning;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.tail));
    await this.#hinting;
    await this.#hint();
    await this.#consumer
      .disconnect()
      .catch((error: unknown) => this.#warn('The consumer did not leave cleanly.', { error }));
    if (this.#options.share) await this.#admin.deleteGroups([this.#groupId]).catch(() => undefined);
    await this.#admin.disconnect().catch(() => undefined);
  }

  /** Step 1. Runs synchronously within kafkajs's join, before any fetch of the new assignment. */
  #joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    this.#generation += 1;
    const generation = this.#generation;
    const shards = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition): Shard => ({ topic, partition })),
    );
    const lanes = shards.map((shard) => this.#lane(shard));
    for (const lane of lanes) this.#pause(lane.shard);
    const positions = lanes.map((lane) => this.#position(lane, generation));
    this.#positioning = Promise.all([this.#positioning, ...positions]);
  }

  #lane(shard: Shard): KafkaLane {
    const name = shardName(shard);
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = createLane(shard);
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  /** Step 2, in turn with the batches of the lane. `seek` undefined: ask the handler. Never rejects. */
  #position(lane: KafkaLane, generation: number, seek?: number | null): Promise<void> {
    lane.generation = -1;
    lane.tail = lane.tail.then(async () => {
      while (generation === this.#generation && !this.#stop.signal.aborted) {
        try {
          await this.#seekLane(lane, generation, seek);
          return;
        } catch (error) {
          const translated = translateKafkaError(error, kafkaAddress(this.#options));
          if (!(translated instanceof RetryableError)) return this.#fail(translated);
          this.#warn('A position could not be found yet.', { shard: lane.name, reason: translated.message });
          await sleep(POSITION_RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
        }
      }
    });
    return lane.tail;
  }

  async #seekLane(lane: KafkaLane, generation: number, seek: number | null | undefined): Promise<void> {
    let wanted = seek === undefined ? await this.#start(lane.shard) : seek;
    let range = await this.#range(lane.shard);
    let start = startAt(wanted, range);
    while (start !== null && start.lost > 0) {
      // Retention has passed the store: a checkpoint may be ahead of both.
      const answer = await this.#start(lane.shard, range.low);
      if (answer === wanted) break;
      wanted = answer;
      range = await this.#range(lane.shard);
      start = startAt(wanted, range);
    }
    if (start === null)
      throw new ConfigError([
        `${lane.name}: the next record wanted is ${wanted}, but the topic ends at ${range.high}. It was made anew: ` +
          "reset the shard's state, or read from the cluster that it belongs to.",
      ]);
    if (start.lost > 0)
      this.#warn('Retention deleted records before they were read.', { shard: lane.name, records: start.lost });
    if (generation !== this.#generation) return;
    lane.from = start.from;
    this.#readNextAt(lane, generation, start.readAt);
    this.#resume(lane.shard);
  }

  async #range({ topic, partition }: Shard): Promise<PartitionRange> {
    const range = (await readRanges(this.#admin, topic)).find((entry) => entry.partition === partition);
    if (range === undefined) throw new ConfigError([`Topic '${topic}' has no partition ${partition} any more.`]);
    return range;
  }

  #start(shard: Shard, low?: number): Promise<number | null> {
    return this.#handler === null ? Promise.resolve(null) : this.#handler.start(shard, low);
  }

  /** Steps 3 and 4. Never throws, for kafkajs would try the batch again in its own way. */
  async #eachBatch({ batch }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    const lane = this.#lane({ topic, partition });
    const generation = this.#generation;
    if (this.#stop.signal.aborted || lane.generation !== generation) return;
    if (Number((batch as FetchedAt).fetchedOffset) !== lane.readAt) {
      this.#pause(lane.shard);
      void this.#position(lane, generation);
      return;
    }
    const next = Number(batch.lastOffset()) + 1;
    const records = batch.messages.length;
    const pace = this.#pace.after(records);
    const cameAt = performance.now();
    const work = this.#deliver(lane, { next, records: batch.messages.map(rawRecord) });
    let resumes = false;
    let done = false;
    lane.isBusy = true;
    const settled = work.then((seek) => {
      done = true;
      lane.isBusy = false;
      this.#pace.handled(records, performance.now() - cameAt);
      if (seek === 'failed' || generation !== this.#generation) return;
      if (seek !== null) {
        this.#pause(lane.shard);
        void this.#position(lane, generation, seek < 0 ? null : seek);
        return;
      }
      lane.from = next;
      this.#readNextAt(lane, generation, next);
      if (resumes) this.#resume(lane.shard);
    });
    lane.tail = settled;
    // It may end between the timer and this line.
    if ((await endsWithin(settled, DETACH_AFTER_MS)) || done) return pace;
    resumes = true;
    this.#pause(lane.shard);
  }

  /** Where the handler wants to go on; null: after this batch. */
  async #deliver(
    lane: KafkaLane,
    batch: { readonly next: number; readonly records: ReturnType<typeof rawRecord>[] },
  ): Promise<number | null | 'failed'> {
    if (this.#handler === null) return 'failed';
    try {
      const { seek } = await this.#handler.batch({ shard: lane.shard, from: lane.from, ...batch });
      return seek;
    } catch (error) {
      lane.generation = -1;
      this.#pause(lane.shard);
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return 'failed';
    }
  }

  #readNextAt(lane: KafkaLane, generation: number, offset: number): void {
    lane.generation = generation;
    lane.readAt = offset;
    const { topic, partition } = lane.shard;
    this.#unlessStopped(() => this.#consumer.seek({ topic, partition, offset: String(offset) }));
  }

  /** kafkajs steps over batches without a visible record (control records, aborted transactions) by itself. */
  #skipped(batch: { topic: string; partition: number; batchSize: number; lastOffset: string }): void {
    if (batch.batchSize > 0) return;
    const lane = this.#lane({ topic: batch.topic, partition: batch.partition });
    lane.readAt = Math.max(lane.readAt, Number(batch.lastOffset) + 1);
  }

  #pause({ topic, partition }: Shard): void {
    this.#unlessStopped(() => this.#consumer.pause([{ topic, partitions: [partition] }]));
  }

  #resume({ topic, partition }: Shard): void {
    this.#unlessStopped(() => this.#consumer.resume([{ topic, partitions: [partition] }]));
  }

  /** Between a crash of the consumer and its restart there is nothing to pause or seek; the next join positions every lane anew. */
  #unlessStopped(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) throw error;
    }
  }

  /** One at a time: kafkajs sets a group's offsets as its only member, and a second one would leave that member without an end. */
  #hint(): Promise<void> {
    this.#hinting ??= this.#tellGroup().finally(() => {
      this.#hinting = null;
    });
    return this.#hinting;
  }

  async #tellGroup(): Promise<void> {
    const due = [...this.#lanes.values()].filter(
      (lane) => lane.generation === this.#generation && lane.from > lane.hinted,
    );
    if (due.length === 0) return;
    const offsets = due.map((lane) => ({ ...lane.shard, offset: String(lane.from) }));
    try {
      await this.#commitHint(offsets);
      due.forEach((lane, index) => {
        lane.hinted = Number(offsets[index].offset);
      });
    } catch (error) {
      this.#warn('The group was not told of the positions; they are a hint only.', { error });
    }
  }

  async #commitHint(offsets: readonly { topic: string; partition: number; offset: string }[]): Promise<void> {
    if (!this.#options.share) return this.#consumer.commitOffsets([...offsets]);
    // The group that people look at has no members: an admin may set its offsets.
    const { groupId } = this.#options;
    for (const topic of new Set(offsets.map((one) => one.topic)))
      await this.#admin.setOffsets({ groupId, topic, partitions: offsets.filter((one) => one.topic === topic) });
  }

  #fail(error: Error): void {
    if (!this.#stop.signal.aborted) (this.#options.onError ?? crash)(error);
  }

  #warn(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.onLog?.('warn', message, fields);
  }
}

/** Uncaught on purpose: the supervisor restarts us, and the store says where to go on. */
function crash(error: Error): void {
  queueMicrotask(() => {
    throw error;
  });
}
