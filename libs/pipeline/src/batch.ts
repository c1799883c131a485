/**
 * Computes one batch: log entries -> what the stream prepares -> stream states and inputs -> waves -> outputs -> points and new states.
 * Nothing is written here. A throw leaves the slots in memory half advanced: the caller clears the shard's series and replays.
 */
import { type Advanced, advanceRows, emptyAdvanced, type Table } from './advance-rows.ts';
import { selectRows } from './batch-rows.ts';
import type { Chunk } from './chunk.ts';
import { closeSequences, endedSequences } from './close-sequences.ts';
import type { StepEngine } from './engine.ts';
import type { OnEvent, QuarantineCause } from './events.ts';
import { escapeTag, pointTime, stringField } from './line-protocol.ts';
import { type Lines, PointLines } from './point-lines.ts';
import type { Fence, LogEntry, ShardStore } from './ports.ts';
import type { DeadLetter, Shard } from './record.ts';
import { isSaturated, type RowWords, SATURATED_STEPS, TRACE_SIZE } from './saturation.ts';
import type { SeriesMemory } from './series-memory.ts';
import { SHARD_CLOCK_KEY } from './shard-clock.ts';
import type { ShardSeries } from './shard-series.ts';
import type { Stream } from './stream.ts';
import { planWaves } from './waves.ts';

/** What a stream's forecasts are made with. */
export interface Forecasting {
  readonly stream: Stream;
  readonly engine: StepEngine;
  readonly memory: SeriesMemory;
}

export interface BatchInput extends Forecasting {
  readonly shard: Shard;
  readonly series: ShardSeries;
  readonly store: ShardStore;
  readonly entries: readonly LogEntry[];
  readonly fence: Fence;
  /** Rows below it are in the states already. */
  readonly position: number;
  readonly seriesMax: number;
  readonly onEvent: OnEvent;
}

export interface BatchResult {
  readonly from: number;
  readonly position: number;
  readonly records: number;
  readonly forecasts: number;
  readonly lines: Lines;
  /** Late and repeated records that the stream refuses. */
  readonly letters: readonly DeadLetter[];
  /** Late and repeated records, whatever became of them. */
  readonly late: number;
  readonly repeated: number;
  /** Series that were silent for longer than the stream's TTL and began anew; and those whose states are removed for it. */
  readonly restarted: number;
  readonly swept: number;
  readonly keys: readonly string[];
  readonly states: readonly Uint8Array[];
  readonly removed: readonly string[];
}

export async function computeBatch(input: BatchInput): Promise<BatchResult> {
  const { stream, engine, entries, position } = input;
  const rows = selectRows(entries, stream, position);
  if (stream.prepare) for (const { chunk, first } of rows.stretches) await stream.prepare(chunk, first);
  const idle = stream.idleTtlMs === undefined ? [] : await input.series.findIdle(input, stream.idleTtlMs);
  input.series.evict(input.seriesMax, rows.keys);
  await input.series.open(rows.keys, input);
  const table: Table = {
    rows,
    inputs: new Float32Array(rows.count * stream.inputSize),
    outputs: new Float32Array(rows.count * stream.outputSize),
    context: new Float64Array(rows.count * stream.contextSize),
  };
  const advanced = emptyAdvanced(rows.count);
  let emitted: { readonly lines: PointLines; readonly forecasts: number };
  try {
    advanceRows(input, table, advanced);
    await stepRows(engine, advanced, table);
    emitted = emitRows(input, table, advanced);
    if (stream.close) closeSequences(input, endedSequences(input.memory, advanced.ended), emitted.lines);
  } finally {
    // Nobody else knows the slots of series that ended: also a step that throws must give them back.
    for (const { slot } of advanced.ended) input.memory.close(slot);
  }
  const { lines, forecasts } = emitted;
  const silent = stream.idleTtlMs === undefined ? [] : input.series.closeIdle(idle, advanced.touched, stream.idleTtlMs);
  closeSequences(input, silent, lines);
  const removed = silent.map(({ key }) => key);
  const swept = removed.length;
  const kept: string[] = [];
  const slots: number[] = [];
  for (const [key, slot] of advanced.touched) {
    if (slot === null) removed.push(key);
    else {
      kept.push(key);
      slots.push(slot);
    }
  }
  const states = await input.memory.snapshot(Uint32Array.from(slots));
  const end = entries[entries.length - 1].next;
  const clock = input.series.clock?.stateAt(end) ?? null;
  if (clock !== null) {
    kept.push(SHARD_CLOCK_KEY);
    states.push(clock);
  }
  const { letters, late, repeated, restarted } = advanced;
  const counts = { records: rows.count, forecasts, late, repeated, restarted, swept };
  return { from: position, position: end, ...counts, lines, letters, keys: kept, states, removed };
}

async function stepRows(engine: StepEngine, advanced: Advanced, table: Table): Promise<void> {
  const { inputs, outputs } = table;
  const { slots, rows, count } = advanced.steps;
  const { waves, runs } = planWaves(slots.subarray(0, count), rows.subarray(0, count));
  for (const wave of waves) {
    const pending = engine.step({ ...wave, inputs, outputs });
    if (pending) await pending;
  }
  for (const run of runs) {
    const pending = engine.run({ ...run, inputs, outputs });
    if (pending) await pending;
  }
}

/** Points in offset order. A row whose outputs are not finite, or that shows a saturated network, quarantines its series: an alert instead of forecasts. */
function emitRows(input: BatchInput, table: Table, { steps }: Advanced): { lines: PointLines; forecasts: number } {
  const { stream, memory, shard } = input;
  const { stretches } = table.rows;
  const { inputSize, outputSize, contextSize } = stream;
  const { inputs, outputs, context } = table;
  const outputStateSize = stream.outputState?.size ?? 0;
  const own = { state: memory.outputs, stateAt: 0 };
  const output = { outputs, outputAt: 0, context, contextAt: 0, inputs, inputAt: 0, ...own };
  const lines = new PointLines(steps.count);
  const words = { inputs: wordsOf(table.inputs, stream.inputSize), outputs: wordsOf(outputs, outputSize) };
  let forecasts = 0;
  let s = 0;
  for (let step = 0; step < steps.count; step += 1) {
    const slot = steps.slots[step];
    if (memory.isQuarantined(slot)) continue;
    const i = steps.rows[step];
    while (s + 1 < stretches.length && stretches[s + 1].at <= i) s += 1;
    const { chunk, first, at } = stretches[s];
    const row = first + i - at;
    output.outputAt = i * outputSize;
    output.contextAt = i * contextSize;
    output.inputAt = i * inputSize;
    output.stateAt = slot * outputStateSize;
    const cause = quarantineCause(input, { i, slot, outputs, words });
    if (cause === null) {
      stream.emit(shard, chunk, row, output, lines);
      forecasts += 1;
    } else {
      memory.quarantine(slot);
      lines.push(quarantineLine(input, chunk, row, cause));
    }
  }
  return { lines, forecasts };
}

/** The rows of a table as words. `at` moves from row to row. */
type Words = { -readonly [part in keyof RowWords]: RowWords[part] };

function wordsOf(values: Float32Array, size: number): Words {
  return { words: new Uint32Array(values.buffer, values.byteOffset, values.length), at: 0, size };
}

function quarantineCause(
  { stream, memory }: BatchInput,
  row: {
    readonly i: number;
    readonly slot: number;
    readonly outputs: Float32Array;
    readonly words: { readonly inputs: Words; readonly outputs: Words };
  },
): QuarantineCause | null {
  const { i, slot, words } = row;
  if (!areFinite(row.outputs, i * stream.outputSize, stream.outputSize)) return 'not-finite';
  if (!stream.looksForSaturation) return null;
  words.inputs.at = i * stream.inputSize;
  words.outputs.at = i * stream.outputSize;
  return isSaturated(memory.traces, slot * TRACE_SIZE, words.inputs, words.outputs) ? 'saturated' : null;
}

function areFinite(values: Float32Array, at: number, count: number): boolean {
  for (let i = at; i < at + count; i += 1) if (!Number.isFinite(values[i])) return false;
  return true;
}

const QUARANTINE_REASONS: Readonly<Record<QuarantineCause, string>> = {
  'not-finite': 'The model gave a value that is not finite; the series makes no forecasts until it is reset.',
  saturated:
    `The model gave the same answer to ${SATURATED_STEPS} different inputs in a row: its state is saturated; ` +
    'the series makes no forecasts until it is reset.',
};

function quarantineLine(input: BatchInput, chunk: Chunk, row: number, cause: QuarantineCause): string {
  const key = chunk.keys[chunk.keyOf[row]];
  const offset = chunk.offsets[row];
  const reason = QUARANTINE_REASONS[cause];
  input.onEvent({ type: 'quarantined', cause, shard: input.shard, series: key, offset, reason });
  const tags = `kind=quarantine,series=${escapeTag(key)},stream=${escapeTag(input.stream.name)}`;
  return `alert,${tags} offset=${offset}i,partition=${input.shard.partition}i,reason=${stringField(reason)} ${pointTime(chunk, row)}`;
}
