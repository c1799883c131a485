/**
 * Takes the rows of a batch in offset order: stream states advance, the network's steps are gathered for the waves, and late or repeated rows are told
 * from the others. All of it by what the series' states say, so that neither the batch nor a replay can change it.
 */
import type { Chunk } from './chunk.ts';
import { isLate, TIMES, TIMES_SIZE, takeTime, timeText } from './event-times.ts';
import { readOriginal } from './originals.ts';
import { APPLY_LATE_HEADER, type DeadLetter, type Shard } from './record.ts';
import type { SeriesMemory } from './series-memory.ts';
import { isPassedOver } from './shard-clock.ts';
import type { ShardSeries } from './shard-series.ts';
import type { Stream } from './stream.ts';

/** A row of a chunk. */
export interface Row {
  readonly chunk: Chunk;
  readonly row: number;
}

/** Rows of the batch with the buffers that hold their values; row i of `rows` is row i of every buffer. */
export interface Table {
  readonly rows: readonly Row[];
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
  readonly context: Float64Array;
}

/** What the rows of a batch came to. */
export interface Advanced {
  readonly stepSlots: number[];
  readonly stepRows: number[];
  /** Slots whose sequence ended in this batch, to be closed after their steps. */
  readonly ended: number[];
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

export function emptyAdvanced(): Advanced {
  const counts = { late: 0, repeated: 0, restarted: 0 };
  return { stepSlots: [], stepRows: [], ended: [], touched: new Map(), ...counts, letters: [] };
}

export interface AdvanceInput {
  readonly shard: Shard;
  readonly stream: Stream;
  readonly series: ShardSeries;
  readonly memory: SeriesMemory;
}

export function advanceRows(input: AdvanceInput, table: Table, advanced: Advanced): void {
  const { stream, series, memory } = input;
  table.rows.forEach(({ chunk, row }, i) => {
    const key = chunk.keys[chunk.keyOf[row]];
    let slot = series.slot(key) ?? series.begin(key);
    // The steps of a sequence that is over are still to be made: its slot is closed after them.
    const beginAnew = (): void => {
      advanced.ended.push(slot);
      series.end(key);
      slot = series.begin(key);
    };
    if (wasSilent(input, chunk, row, slot)) {
      beginAnew();
      advanced.restarted += 1;
    }
    const watermarkMs = series.clock?.observe(chunk, row) ?? Number.NEGATIVE_INFINITY;
    const untimely = untimeliness(input, chunk, row, slot);
    if (untimely !== null && !takesUntimely(input, { chunk, row, slot, untimely }, advanced)) return;
    if (untimely !== 'late' && stream.begins?.(chunk, row) && hasBegun(memory, slot)) beginAnew();
    const action = stream.advance(chunk, row, {
      state: memory.stream,
      stateAt: slot * stream.stateSize,
      inputs: table.inputs,
      inputAt: i * stream.inputSize,
      context: table.context,
      contextAt: i * stream.contextSize,
    });
    advanced.touched.set(key, slot);
    if (action === 'end') {
      series.end(key);
      advanced.ended.push(slot);
      advanced.touched.set(key, null);
      return;
    }
    const isStep = action === 'step';
    const time = { ms: chunk.timeMs[row], subNs: chunk.timeSubNs[row], isStep, watermarkMs };
    takeTime(time, memory.times, slot * TIMES_SIZE);
    if (isStep && !memory.isQuarantined(slot)) {
      advanced.stepSlots.push(slot);
      advanced.stepRows.push(i);
    }
  });
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
  at: Row & { readonly slot: number; readonly untimely: Untimely },
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
