/**
 * Forecaster: a ticket makes it the owner of a shard for a time slice; it drains the shard's log batch by batch.
 *
 * Order of one batch (safe to be killed at any line: everything before Step 3 is repeated with the same result):
 *   Step 1. Read the log from the position and compute, in memory only; log and states are read fenced, so the points are right whoever writes them.
 *   Step 2. Write the points; the sink has accepted every one (idempotent: a point's identity is a pure function of the record). Then the dead letters
 *           of late records, where the stream refuses them (idempotent by position).
 *   Step 3. Commit states and position in one atomic write, fenced by the epoch.
 *   Step 4. Tell the live feed, which may lose it.
 * Steps 2 to 4 of batch k run beside Step 1 of batch k + 1; commits stay in order because k + 1 waits for k.
 */
import { type BatchResult, computeBatch, type Forecasting } from './batch.ts';
import type { SnapshotStore } from './checkpoint-ports.ts';
import type { StepEngine } from './engine.ts';
import { ConfigError, StaleEpochError } from './errors.ts';
import type { OnEvent } from './events.ts';
import { Hold } from './hold.ts';
import type {
  Claim,
  DeadLetterSink,
  Fence,
  LiveFeed,
  LogEntry,
  PointSink,
  ShardStore,
  Ticket,
  TicketQueue,
} from './ports.ts';
import type { Shard } from './record.ts';
import { shardName } from './record.ts';
import { retryInPlace } from './retry.ts';
import { SeriesMemory } from './series-memory.ts';
import { ShardSeries } from './shard-series.ts';
import type { Stream } from './stream.ts';

export interface ForecasterOptions {
  readonly store: ShardStore & Partial<Pick<SnapshotStore, 'touch'>>;
  readonly queue: Pick<TicketQueue, 'announce'>;
  readonly sink: PointSink;
  /** Takes the late records of streams whose policy is `dead-letter`; needed where there is one. */
  readonly deadLetters?: DeadLetterSink;
  readonly live: LiveFeed | null;
  /** Stream and engine of each topic. */
  readonly topics: ReadonlyMap<string, { readonly stream: Stream; readonly engine: StepEngine }>;
  /** Unique name of this process: a shard keeps its epoch, and its states stay in memory, while the same owner takes it again. */
  readonly owner: string;
  /**
   * A shard whose states are of another model than its topic's engine here: `leave` it to a forecaster that has that model, until `changeModel` has changed
   * it; `adopt` it at once, its series beginning anew, where no other forecaster can be.
   */
  readonly foreignModel: 'leave' | 'adopt';
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onEvent: OnEvent;
  /** Log entries of one batch at most. */
  readonly batchEntriesMax: number;
  /** Records after which the shard goes back to the queue, so that others get their turn. */
  readonly sliceRecordsMax: number;
  /** Series of a topic that stay in memory; a batch that needs more slots first closes its shard's least recently used ones. */
  readonly seriesMax: number;
  /** A drained shard is kept for `idleMs` (see Hold), as long as fewer than `slots` shards are served. Without it each goes back to the queue at once. */
  readonly hold?: { readonly idleMs: number; readonly slots: number };
  /** Of more shards with a backlog (their last read was full) each goes back to the queue after a batch, where a forecaster with less to do finds it. */
  readonly backlogsMax?: number;
}

interface Served {
  readonly epoch: number;
  /** Position that the states in memory belong to. */
  position: number;
  readonly series: ShardSeries;
}

const RETRY_DELAY_MS_MAX = 5_000;
/** After a larger batch a drained shard is not held: on the way through the queue more records gather, and large batches are cheaper a record. */
const HELD_RECORDS_MAX = 500;
/** Of a stream whose rows are prepared at length: what a batch has prepared is kept by its commit alone. */
const PREPARED_ENTRIES_MAX = 4;
/** So long a forecaster keeps a shard of another model before it goes back to the queue. */
const FOREIGN_PAUSE_MS = 100;

export class Forecaster {
  readonly #options: ForecasterOptions;
  readonly #topics = new Map<string, Forecasting>();
  readonly #served = new Map<string, Served>();
  /** Handlers under way, a shard: a ticket that comes back to this process while its old handler still runs waits for it. */
  readonly #serving = new Map<string, Promise<void>>();
  readonly #holds = new Map<string, Hold>();
  /** Shards whose last read was full. */
  readonly #backlogs = new Set<string>();
  /** Shards left to others, with the model of their states. */
  readonly #foreign = new Map<string, string>();
  #stopping = false;

  constructor(options: ForecasterOptions) {
    this.#options = options;
    for (const [topic, { stream, engine }] of options.topics) {
      if (stream.late === 'dead-letter' && options.deadLetters === undefined)
        throw new ConfigError([
          `Late records of '${topic}' go to the dead letters, but the forecaster was given none.`,
        ]);
      this.#topics.set(topic, { stream, engine, memory: new SeriesMemory(stream, engine) });
    }
  }

  /** From now on every handler finishes its batch and hands its shard back; the caller then waits for the handlers. */
  stop(): void {
    this.#stopping = true;
    this.#endHolds();
  }

  /** The log of a shard that this process may hold ends at `head` now; Infinity: somebody else has claimed it. */
  appended(shard: string, head: number): void {
    this.#holds.get(shard)?.appended(head);
  }

  /** Series whose states are in memory. */
  get series(): number {
    let sum = 0;
    for (const { series } of this.#served.values()) sum += series.size;
    return sum;
  }

  /** Handles a ticket: resolves when the shard is drained, handed back, lost to another owner, or `signal` aborts. */
  async handle(ticket: Ticket, signal: AbortSignal): Promise<void> {
    const name = shardName(ticket.shard);
    const before = this.#serving.get(name) ?? Promise.resolve();
    const now = before.then(() => this.#serve(ticket.shard, signal));
    const settled = now.then(
      () => undefined,
      () => undefined,
    );
    this.#serving.set(name, settled);
    // Nobody may wait for a slot that is held idle.
    if (!this.#mayHold()) this.#endHolds();
    try {
      await now;
    } finally {
      if (this.#serving.get(name) === settled) this.#serving.delete(name);
    }
  }

  async #serve(shard: Shard, signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const topic = this.#topics.get(shard.topic);
    if (!topic) throw new RangeError(`No model serves topic '${shard.topic}'.`);
    const claim = await this.#retry(shard, signal, () => store.claim(shard, this.#options.owner));
    const isForeign = this.#isForeign(shard, claim, topic);
    const served = this.#admit(shard, claim);
    try {
      if (isForeign) await this.#passOn(shard, claim, signal);
      else await this.#drain(shard, claim, topic, served, signal);
    } catch (error) {
      // What is in memory may be ahead of the store: forget it, the next owner replays from the position.
      this.#forget(shard);
      if (!(error instanceof StaleEpochError)) throw error;
      this.#options.onEvent({ type: 'fenced', shard, reason: error.message });
    }
  }

  /** Whether the shard's states are of another model, and it is to be left alone. Told once a shard and model. */
  #isForeign(shard: Shard, { model: from }: Claim, { engine }: Forecasting): boolean {
    const { foreignModel, onEvent } = this.#options;
    const name = shardName(shard);
    const to = engine.modelDigest;
    if (from === '' || from === to) {
      this.#foreign.delete(name);
      return false;
    }
    const isLeft = foreignModel === 'leave';
    if (!isLeft || this.#foreign.get(name) !== from)
      onEvent({ type: isLeft ? 'model-foreign' : 'model-changed', shard, from, to });
    if (isLeft) this.#foreign.set(name, from);
    return isLeft;
  }

  /** Gives the shard to another forecaster; not at once, or those without its model would have it go round as fast as they can. */
  async #passOn(shard: Shard, { epoch }: Claim, signal: AbortSignal): Promise<void> {
    this.#forget(shard);
    await this.#options.sleep(FOREIGN_PAUSE_MS, signal);
    if (!signal.aborted) await this.#release(shard, { epoch, keep: false, signal });
  }

  #noteBacklog(shard: Shard, isOne: boolean): void {
    if (isOne) this.#backlogs.add(shardName(shard));
    else this.#backlogs.delete(shardName(shard));
  }

  #isCrowded(shard: Shard): boolean {
    const { backlogsMax = Number.POSITIVE_INFINITY } = this.#options;
    return this.#backlogs.size > backlogsMax && this.#backlogs.has(shardName(shard));
  }

  #mayHold(): boolean {
    const { hold } = this.#options;
    return hold !== undefined && !this.#stopping && this.#serving.size < hold.slots;
  }

  #endHolds(): void {
    for (const hold of this.#holds.values()) hold.end();
  }

  #beginHold(shard: Shard, signal: AbortSignal): Hold {
    const { hold: { idleMs } = { idleMs: 0 }, sleep } = this.#options;
    const hold = new Hold({ idleMs, sleep, signal });
    this.#holds.set(shardName(shard), hold);
    return hold;
  }

  #forget(shard: Shard): void {
    this.#served.get(shardName(shard))?.series.clear();
    this.#served.delete(shardName(shard));
  }

  #admit(shard: Shard, claim: Claim): Served {
    const name = shardName(shard);
    const known = this.#served.get(name);
    // A store that was rolled back gives the same owner the same epoch at an earlier position: states ahead of it would be stepped twice.
    const kept = known?.epoch === claim.epoch && known.position === claim.position;
    this.#options.onEvent({ type: 'claimed', shard, epoch: claim.epoch, position: claim.position, kept });
    if (known && kept) return known;
    known?.series.clear();
    const topic = this.#topics.get(shard.topic);
    if (!topic) throw new RangeError(`No model serves topic '${shard.topic}'.`);
    const served = { epoch: claim.epoch, position: claim.position, series: new ShardSeries(topic.memory) };
    this.#served.set(name, served);
    return served;
  }

  #entriesMax({ prepare }: Stream): number {
    const { batchEntriesMax } = this.#options;
    return prepare === undefined ? batchEntriesMax : Math.min(batchEntriesMax, PREPARED_ENTRIES_MAX);
  }

  async #drain(shard: Shard, claim: Claim, topic: Forecasting, served: Served, signal: AbortSignal): Promise<void> {
    const { series } = served;
    const { store, onEvent, sliceRecordsMax, seriesMax } = this.#options;
    const batchEntriesMax = this.#entriesMax(topic.stream);
    let { position } = claim;
    let records = 0;
    let flight: Promise<void> = Promise.resolve();
    let hold = this.#beginHold(shard, signal);
    let isDrained = false;
    let isSmall = true;
    try {
      for (;;) {
        if (signal.aborted) return;
        // Step 1.
        const fence: Fence = { epoch: claim.epoch, positions: [served.position, position] };
        const sliceOver = records >= sliceRecordsMax || this.#stopping || (records > 0 && this.#isCrowded(shard));
        const entries: LogEntry[] =
          isDrained || sliceOver
            ? []
            : await this.#retry(shard, signal, () => store.read(shard, position, batchEntriesMax, fence));
        this.#noteBacklog(shard, entries.length === batchEntriesMax);
        if (entries.length === 0 || sliceOver) {
          isDrained = false;
          if (!sliceOver && isSmall && this.#mayHold() && (await hold.goesOn(position, flight))) continue;
          await flight;
          if (signal.aborted) return;
          const keep = !sliceOver;
          hold = this.#beginHold(shard, signal);
          if ((await this.#release(shard, { epoch: claim.epoch, keep, signal })) || !keep) return;
          continue;
        }
        const batch = await computeBatch({
          ...topic,
          shard,
          series,
          store,
          entries,
          fence,
          position,
          seriesMax,
          onEvent,
        });
        await flight;
        series.sent(batch.keys, batch.states, batch.removed);
        flight = this.#finish({ shard, epoch: claim.epoch, topic, batch, served, signal });
        // A rejection is seen at the next `await flight`; until then it must not count as unhandled.
        flight.catch(() => undefined);
        position = batch.position;
        records += batch.records;
        // What comes from here on is told to the hold.
        isSmall &&= batch.records <= HELD_RECORDS_MAX;
        isDrained = isSmall && entries.length < batchEntriesMax && this.#mayHold();
      }
    } finally {
      this.#holds.delete(shardName(shard));
      this.#noteBacklog(shard, false);
      await flight;
    }
  }

  /** True where nothing is left to do. Otherwise the next ticket is announced, or kept. */
  async #release(
    shard: Shard,
    { epoch, keep, signal }: { readonly epoch: number; readonly keep: boolean; readonly signal: AbortSignal },
  ): Promise<boolean> {
    const { store, queue } = this.#options;
    const { drained, ticket } = await this.#retry(shard, signal, () => store.release(shard, { epoch, keep }));
    if (!drained && !keep && ticket !== null)
      await this.#retry(shard, signal, () => queue.announce({ shard, number: ticket }));
    return drained;
  }

  async #finish(work: {
    readonly shard: Shard;
    readonly epoch: number;
    readonly topic: Forecasting;
    readonly batch: BatchResult;
    readonly served: Served;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { shard, epoch, topic, batch, served, signal } = work;
    const { from, position, keys, states, removed, lines, letters } = batch;
    const { sink, deadLetters } = this.#options;
    const model = topic.engine.modelDigest;
    // Step 2.
    if (lines.length > 0) await this.#retry(shard, signal, () => sink.write(lines));
    if (letters.length > 0 && deadLetters) await this.#retry(shard, signal, () => deadLetters.write(letters));
    // Step 3.
    await this.#retry(shard, signal, () =>
      this.#options.store.commit({ shard, epoch, from, position, model, keys, states, removed }),
    );
    served.series.settled(keys, states, removed);
    topic.memory.reuse(states);
    served.position = position;
    // Checkpoints learn of changes from records; these had none. One that misses it keeps states that nobody will use.
    if (batch.swept > 0) await this.#retry(shard, signal, async () => this.#options.store.touch?.(shard));
    // Step 4.
    this.#options.live?.publish(lines);
    this.#tell(shard, topic.stream, batch, served);
  }

  #tell(shard: Shard, stream: Stream, batch: BatchResult, served: Served): void {
    const { onEvent } = this.#options;
    const { position, records, forecasts, late, repeated, restarted, swept, lines, letters } = batch;
    const counts = { records, forecasts, series: served.series.size, lines: lines.length, refused: letters.length };
    onEvent({ type: 'committed', shard, position, ...counts });
    if (late + repeated > 0) onEvent({ type: 'late', shard, policy: stream.late ?? 'apply', late, repeated });
    if (restarted + swept > 0) onEvent({ type: 'idle', shard, restarted, swept });
    for (const { offset, field, reason } of letters) onEvent({ type: 'dead-lettered', shard, offset, field, reason });
  }

  #retry<T>(shard: Shard, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return retryInPlace(work, {
      sleep: this.#options.sleep,
      signal,
      delayMsMax: RETRY_DELAY_MS_MAX,
      onRetry: (attempt, error) => this.#options.onEvent({ type: 'retrying', shard, attempt, reason: error.message }),
    });
  }
}
