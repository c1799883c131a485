/**
 * Takes the rows of a batch in offset order: stream states advance, the network's steps are gathered for the waves, and late or repeated rows are told
 * from the others. All of it by what the series' states say, so that neither the batch nor a replay can change it.
 */
import type { BatchRows, Stretch } from './batch-rows.ts';
import type { Chunk } from './chunk.ts';
import { isLate, TIMES, TIMES_SIZE, takeTime, timeText } from './event-times.ts';
import { readOriginal } from './originals.ts';
import { APPLY_LATE_HEADER, type DeadLetter, type Shard } from './record.ts';
import type { SeriesMemory } from './series-memory.ts';
import { isPassedOver } from './shard-clock.ts';
import type { ShardSeries } from './shard-series.ts';
import type { RowBuffers, SequenceCause, SequenceEnd, Stream } from './stream.ts';

/** Rows of the batch with the buffers that hold their values; row i of the batch is row i of every buffer. */
export interface Table {
  readonly rows: BatchRows;
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
  readonly context: Float64Array;
}

/** What the rows of a batch came to. */
export interface Advanced {
  readonly steps: Steps;
  /** Sequences that ended in this batch: their slots are to be closed after their steps. */
  readonly ended: EndedSlot[];
  /** Newest slot of each series touched; null: ended. */
  readonly touched: Map<string, number | null>;
  /** Rows that were late, and rows that repeated the one before, whatever became of them. */
  late: number;
  repeated: number;
  /** Series that had been silent for too long and began anew. */
  restarted: number;
  /** Of those the refused ones. */
  readonly letters: DeadLetter[];
}

/** A slot whose sequence is over; `at` is the row that ended it, null where none of its own did. */
export interface EndedSlot {
  readonly slot: number;
  readonly key: string;
  readonly cause: SequenceCause;
  readonly at: SequenceEnd['by'];
}

/** The network's steps: step i is row `rows[i]` in slot `slots[i]`, in the order of rows. */
export interface Steps {
  readonly slots: Uint32Array;
  readonly rows: Uint32Array;
  count: number;
}

/** For a batch of `rows` rows. */
export function emptyAdvanced(rows: number): Advanced {
  const counts = { late: 0, repeated: 0, restarted: 0 };
  const steps = { slots: new Uint32Array(rows), rows: new Uint32Array(rows), count: 0 };
  return { steps, ended: [], touched: new Map(), ...counts, letters: [] };
}

export interface AdvanceInput {
  readonly shard: Shard;
  readonly stream: Stream;
  readonly series: ShardSeries;
  readonly memory: SeriesMemory;
}

export function advanceRows(input: AdvanceInput, table: Table, advanced: Advanced): void {
  for (const stretch of table.rows.stretches) new StretchAdvance(input, table, advanced, stretch).run();
}

/** One stretch of rows. This runs for every record: it makes no object a row, and looks a series up once a chunk. */
class StretchAdvance {
  readonly #input: AdvanceInput;
  readonly #advanced: Advanced;
  readonly #stretch: Stretch;
  /** Slot of each of the chunk's series, -1 until it is looked up. */
  readonly #slotOf: Int32Array;
  /** The slot by which `touched` knows each series, -1: none. */
  readonly #noted: Int32Array;
  readonly #buffers: { -readonly [field in keyof RowBuffers]: RowBuffers[field] };

  constructor(input: AdvanceInput, table: Table, advanced: Advanced, stretch: Stretch) {
    this.#input = input;
    this.#advanced = advanced;
    this.#stretch = stretch;
    this.#slotOf = new Int32Array(stretch.chunk.keys.length).fill(-1);
    this.#noted = new Int32Array(stretch.chunk.keys.length).fill(-1);
    const { inputs, context } = table;
    this.#buffers = { state: input.memory.stream, stateAt: 0, inputs, inputAt: 0, context, contextAt: 0 };
  }

  run(): void {
    const { chunk, first, at } = this.#stretch;
    for (let row = first; row < chunk.rows; row += 1) this.#advance(chunk, row, at + row - first);
  }

  /** Row `row` of the chunk is row `i` of the batch. */
  #advance(chunk: Chunk, row: number, i: number): void {
    const { stream, series, memory } = this.#input;
    const ordinal = chunk.keyOf[row];
    let slot = this.#slotOf[ordinal];
    if (slot === -1) slot = this.#lookUp(ordinal);
    if (wasSilent(this.#input, chunk, row, slot)) {
      slot = this.#beginAnew(ordinal, 'silent');
      this.#advanced.restarted += 1;
    }
    const watermarkMs = series.clock?.observe(chunk, row) ?? Number.NEGATIVE_INFINITY;
    const untimely = untimeliness(this.#input, chunk, row, slot);
    if (untimely !== null && !takesUntimely(this.#input, { chunk, row, slot, untimely }, this.#advanced)) return;
    if (untimely !== 'late' && stream.begins?.(chunk, row) && hasBegun(memory, slot))
      slot = this.#beginAnew(ordinal, 'restarted');
    const buffers = this.#buffers;
    // A slot that was opened meanwhile may have moved them.
    buffers.state = memory.stream;
    buffers.stateAt = slot * stream.stateSize;
    buffers.inputAt = i * stream.inputSize;
    buffers.contextAt = i * stream.contextSize;
    const action = stream.advance(chunk, row, buffers);
    if (action === 'end') {
      this.#end(ordinal, slot, row);
      return;
    }
    if (this.#noted[ordinal] !== slot) this.#note(ordinal, slot);
    const isStep = action === 'step';
    takeTime(chunk, row, { isStep, watermarkMs }, memory.times, slot * TIMES_SIZE);
    if (!isStep || memory.isQuarantined(slot)) return;
    const { steps } = this.#advanced;
    steps.slots[steps.count] = slot;
    steps.rows[steps.count] = i;
    steps.count += 1;
  }

  #lookUp(ordinal: number): number {
    const key = this.#stretch.chunk.keys[ordinal];
    const slot = this.#input.series.slot(key) ?? this.#input.series.begin(key);
    this.#slotOf[ordinal] = slot;
    return slot;
  }

  /** The steps of a sequence that is over are still to be made: its slot is closed after them. */
  #beginAnew(ordinal: number, cause: SequenceCause): number {
    const { series } = this.#input;
    const key = this.#stretch.chunk.keys[ordinal];
    this.#advanced.ended.push({ slot: this.#slotOf[ordinal], key, cause, at: null });
    series.end(key);
    const slot = series.begin(key);
    this.#slotOf[ordinal] = slot;
    return slot;
  }

  #end(ordinal: number, slot: number, row: number): void {
    const { chunk } = this.#stretch;
    const key = chunk.keys[ordinal];
    this.#input.series.end(key);
    this.#advanced.ended.push({ slot, key, cause: 'ended', at: { chunk, row } });
    this.#advanced.touched.set(key, null);
    this.#slotOf[ordinal] = -1;
    this.#noted[ordinal] = -1;
  }

  #note(ordinal: number, slot: number): void {
    this.#advanced.touched.set(this.#stretch.chunk.keys[ordinal], slot);
    this.#noted[ordinal] = slot;
  }
}

/**
 * Whether the row's series was silent for longer than the stream's TTL: its own event time leaps that far, or the shard's watermark, as it was before the
 * row, has gone on that far since the series' last record.
 */
function wasSilent({ stream, series, memory }: AdvanceInput, chunk: Chunk, row: number, slot: number): boolean {
  const { idleTtlMs: ttlMs } = stream;
  if (ttlMs === undefined || series.clock === null || !hasBegun(memory, slot)) return false;
  const at = slot * TIMES_SIZE;
  if (chunk.timeMs[row] - memory.times[at + TIMES.heardMs] > ttlMs) return true;
  const { watermarkMs, sinceMs } = series.clock;
  return isPassedOver({ ttlMs, watermarkMs, sinceMs }, memory.times[at + TIMES.watermarkMs]);
}

type Untimely = 'late' | 'repeated';

function untimeliness({ stream, memory }: AdvanceInput, chunk: Chunk, row: number, slot: number): Untimely | null {
  if (stream.ends?.(chunk, row)) return null;
  if (isLate(chunk, row, memory.times, slot * TIMES_SIZE)) return 'late';
  return stream.repeats?.(chunk, row, memory.stream, slot * stream.stateSize) ? 'repeated' : null;
}

/** Counts the row; whether it is taken all the same. */
function takesUntimely(
  { shard, stream, memory }: AdvanceInput,
  at: { readonly chunk: Chunk; readonly row: number; readonly slot: number; readonly untimely: Untimely },
  advanced: Advanced,
): boolean {
  const { chunk, row, slot, untimely } = at;
  const { late = 'apply' } = stream;
  advanced[untimely] += 1;
  if (late !== 'dead-letter') return late === 'apply';
  const record = readOriginal(chunk, row);
  if (record !== null && Object.hasOwn(record.headers, APPLY_LATE_HEADER)) return true;
  const key = chunk.keys[chunk.keyOf[row]];
  const offset = chunk.offsets[row];
  const own = timeText(chunk.timeMs[row], chunk.timeSubNs[row]);
  const timesAt = slot * TIMES_SIZE;
  const newest = timeText(memory.times[timesAt + TIMES.steppedMs], memory.times[timesAt + TIMES.steppedSubNs]);
  const reason =
    untimely === 'late'
      ? `Late: its event time ${own} is before ${newest}, the newest that series '${key}' has stepped.`
      : `Repeated: series '${key}' has stepped the same record of ${own} just before, newest event time ${newest}.`;
  advanced.letters.push({
    ...{ code: 'LATE_RECORD', shard, offset, field: '' },
    reason: record === null ? `${reason} Its bytes were not kept: ingest took it under another policy.` : reason,
    record: record ?? { offset, key: Buffer.from(key), value: null, timestampMs: chunk.timeMs[row], headers: {} },
  });
  return false;
}

/** Whether the slot's series has had a record. */
function hasBegun(memory: SeriesMemory, slot: number): boolean {
  return memory.times[slot * TIMES_SIZE + TIMES.heardMs] !== Number.NEGATIVE_INFINITY;
}
