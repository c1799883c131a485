/**
 * Rebuilds one series from its records, through the stream and the engine that serve it: the state that an undisturbed run has at a position, but for
 * the records whose step gives a value that is not finite: such a record is left out, or ends the rebuild, as the policy says; and where the network was
 * found saturated the series begins anew with that record.
 */
import { computeBatch } from './batch.ts';
import { encodeChunk } from './chunk-codec.ts';
import type { StepEngine } from './engine.ts';
import { PoisonRecordError } from './errors.ts';
import type { PipelineEvent, QuarantineCause } from './events.ts';
import { type Mark, PastWatermark } from './past-watermark.ts';
import type { Lines } from './point-lines.ts';
import type { ShardStore } from './ports.ts';
import { builderFor, readRecord } from './read-record.ts';
import type { RawRecord, Shard } from './record.ts';
import { SeriesMemory } from './series-memory.ts';
import { decodeState } from './series-state.ts';
import { ShardClock } from './shard-clock.ts';
import { ShardSeries } from './shard-series.ts';
import type { Stream } from './stream.ts';

export interface RebuildOptions {
  readonly shard: Shard;
  readonly key: string;
  readonly stream: Stream;
  /** With `REBUILD_SLOTS` slots. */
  readonly engine: StepEngine;
  /** What happens to a record whose step poisons the state: `skip` leaves it out, `refuse` throws PoisonRecordError. */
  readonly onPoison: 'skip' | 'refuse';
  /** Takes the points of the rebuilt steps, in order. */
  readonly write: (lines: Lines) => Promise<void>;
}

export interface RebuildReport {
  /** Records of the series that were applied. */
  readonly records: number;
  readonly forecasts: number;
  readonly lines: number;
  /** Offsets that were left out. */
  readonly poison: readonly number[];
  /** Offsets at which the network was found saturated, and the series began anew. */
  readonly saturated: readonly number[];
}

const BATCH_RECORDS = 500;
/** Slots that the engine of a rebuild must have: each record of a batch can begin the series anew, and what it ends is closed after the batch. */
export const REBUILD_SLOTS = BATCH_RECORDS + 1;

interface Waiting {
  readonly record: RawRecord;
  readonly mark: Mark;
}

async function* noStates(): AsyncGenerator<never> {
  // The rebuild's store is the state that it holds.
}

export class SeriesRebuild {
  readonly #options: RebuildOptions;
  readonly #memory: SeriesMemory;
  readonly #waiting: Waiting[] = [];
  readonly #clock = new ShardClock();
  readonly #poison: number[] = [];
  readonly #saturated: number[] = [];
  #state: Uint8Array | null = null;
  #counts = { records: 0, forecasts: 0, lines: 0 };

  constructor(options: RebuildOptions) {
    this.#options = options;
    this.#memory = new SeriesMemory(options.stream, options.engine);
  }

  /** The state at the position last advanced to; null: the series has none there. */
  get state(): Uint8Array | null {
    return this.#state;
  }

  get report(): RebuildReport {
    return { ...this.#counts, poison: [...this.#poison], saturated: [...this.#saturated] };
  }

  /** Takes the next record of the shard, in the order of offsets. One that is not the series', or that cannot be read, is nothing to it. */
  add(record: RawRecord): void {
    const { stream, key } = this.#options;
    const builder = builderFor(stream, 1);
    try {
      readRecord(stream, record, builder);
    } catch (error) {
      if (error instanceof PoisonRecordError) return;
      throw error;
    }
    const chunk = builder.finish(record.offset + 1);
    const { watermarkMs: before, sinceMs } = this.#clock;
    const after = this.#clock.observe(chunk, 0);
    if (chunk.keys[0] === key) this.#waiting.push({ record, mark: { before, sinceMs, after } });
  }

  /** Applies the records below `position`. */
  async advance(position: number): Promise<void> {
    for (;;) {
      let count = 0;
      while (count < BATCH_RECORDS && count < this.#waiting.length && this.#waiting[count].record.offset < position)
        count += 1;
      if (count === 0) return;
      const next = this.#waiting.slice(0, count);
      if ((await this.#apply(next)) !== null) for (const one of next) await this.#applyOne(one);
      this.#waiting.splice(0, count);
    }
  }

  async #applyOne(waiting: Waiting): Promise<void> {
    const { record } = waiting;
    const cause = await this.#apply([waiting]);
    if (cause === null) return;
    if (cause === 'saturated') {
      this.#state = null;
      this.#saturated.push(record.offset);
      return this.#applyOne(waiting);
    }
    if (this.#options.onPoison === 'refuse')
      throw new PoisonRecordError(
        `The record at offset ${record.offset} makes the state of '${this.#options.key}' not finite.`,
      );
    this.#poison.push(record.offset);
  }

  /** Null, or what was found, having changed nothing. */
  async #apply(waiting: readonly Waiting[]): Promise<QuarantineCause | null> {
    const records = waiting.map(({ record }) => record);
    const { shard, stream, engine } = this.#options;
    const builder = builderFor(stream, records.length);
    for (const record of records) readRecord(stream, record, builder);
    const from = records[0].offset;
    const next = records[records.length - 1].offset + 1;
    const clock = stream.idleTtlMs === undefined ? null : new PastWatermark(waiting.map(({ mark }) => mark));
    const series = new ShardSeries(this.#memory, clock);
    let cause: QuarantineCause | null = null;
    const batch = await computeBatch({
      ...{ shard, stream, engine, series, memory: this.#memory, seriesMax: 1, position: from },
      entries: [{ next, bytes: encodeChunk(builder.finish(next)) }],
      fence: { epoch: 0, positions: [from, next] },
      store: { load: async () => [this.#state], states: noStates } as Partial<ShardStore> as ShardStore,
      onEvent: (event: PipelineEvent) => {
        if (event.type === 'quarantined') cause ??= event.cause;
      },
    });
    series.clear();
    // No state: the series ended, or every record was late and refused.
    const state = batch.states[0] ?? (batch.removed.length > 0 ? null : this.#state);
    if (state !== null && decodeState(this.#memory.layout, state)?.hidden.every(Number.isFinite) === false)
      cause ??= 'not-finite';
    if (cause !== null) return cause;
    if (batch.lines.length > 0) await this.#options.write(batch.lines);
    this.#state = state;
    const { records: applied, forecasts, lines } = this.#counts;
    this.#counts = {
      records: applied + batch.records,
      forecasts: forecasts + batch.forecasts,
      lines: lines + batch.lines.length,
    };
    return null;
  }
}
