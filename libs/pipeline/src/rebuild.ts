/**
 * Rebuilds one series from its records, through the stream and the engine that serve it: the state that an undisturbed run has at a position, but for
 * the records whose step gives a value that is not finite. Such a record is left out, or ends the rebuild, as the policy says.
 */
import { computeBatch } from './batch.ts';
import { encodeChunk } from './chunk-codec.ts';
import type { StepEngine } from './engine.ts';
import { PoisonRecordError } from './errors.ts';
import type { PipelineEvent } from './events.ts';
import type { ShardStore } from './ports.ts';
import { builderFor, readRecord } from './read-record.ts';
import type { RawRecord, Shard } from './record.ts';
import { SeriesMemory } from './series-memory.ts';
import { decodeState } from './series-state.ts';
import { ShardSeries } from './shard-series.ts';
import type { Stream } from './stream.ts';

export interface RebuildOptions {
  readonly shard: Shard;
  readonly key: string;
  readonly stream: Stream;
  readonly engine: StepEngine;
  /** What happens to a record whose step poisons the state: `skip` leaves it out, `refuse` throws PoisonRecordError. */
  readonly onPoison: 'skip' | 'refuse';
  /** Takes the points of the rebuilt steps, in order. */
  readonly write: (lines: readonly string[]) => Promise<void>;
}

export interface RebuildReport {
  /** Records of the series that were applied. */
  readonly records: number;
  readonly forecasts: number;
  readonly lines: number;
  /** Offsets that were left out. */
  readonly poison: readonly number[];
}

const BATCH_RECORDS = 500;

export class SeriesRebuild {
  readonly #options: RebuildOptions;
  readonly #memory: SeriesMemory;
  readonly #waiting: RawRecord[] = [];
  readonly #poison: number[] = [];
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
    return { ...this.#counts, poison: [...this.#poison] };
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
    const [owner] = builder.finish(record.offset + 1).keys;
    if (owner === key) this.#waiting.push(record);
  }

  /** Applies the records below `position`. */
  async advance(position: number): Promise<void> {
    for (;;) {
      let count = 0;
      while (count < BATCH_RECORDS && count < this.#waiting.length && this.#waiting[count].offset < position)
        count += 1;
      if (count === 0) return;
      const records = this.#waiting.slice(0, count);
      if (!(await this.#apply(records))) for (const record of records) await this.#applyOne(record);
      this.#waiting.splice(0, count);
    }
  }

  async #applyOne(record: RawRecord): Promise<void> {
    if (await this.#apply([record])) return;
    if (this.#options.onPoison === 'refuse')
      throw new PoisonRecordError(
        `The record at offset ${record.offset} makes the state of '${this.#options.key}' not finite.`,
      );
    this.#poison.push(record.offset);
  }

  /** False, having changed nothing, where a value is not finite. */
  async #apply(records: readonly RawRecord[]): Promise<boolean> {
    const { shard, stream, engine } = this.#options;
    const builder = builderFor(stream, records.length);
    for (const record of records) readRecord(stream, record, builder);
    const from = records[0].offset;
    const next = records[records.length - 1].offset + 1;
    const series = new ShardSeries(this.#memory);
    let finite = true;
    const batch = await computeBatch({
      ...{ shard, stream, engine, series, memory: this.#memory, seriesMax: 1, position: from },
      entries: [{ next, bytes: encodeChunk(builder.finish(next)) }],
      fence: { epoch: 0, positions: [from, next] },
      store: { load: async () => [this.#state] } as Pick<ShardStore, 'load'> as ShardStore,
      onEvent: (event: PipelineEvent) => {
        if (event.type === 'quarantined') finite = false;
      },
    });
    series.clear();
    // No state: the series ended, or every record was late and refused.
    const state = batch.states[0] ?? (batch.removed.length > 0 ? null : this.#state);
    if (state !== null && decodeState(this.#memory.layout, state)?.hidden.every(Number.isFinite) === false)
      finite = false;
    if (!finite) return false;
    if (batch.lines.length > 0) await this.#options.write(batch.lines);
    this.#state = state;
    const { records: applied, forecasts, lines } = this.#counts;
    this.#counts = {
      records: applied + batch.records,
      forecasts: forecasts + batch.forecasts,
      lines: lines + batch.lines.length,
    };
    return true;
  }
}
