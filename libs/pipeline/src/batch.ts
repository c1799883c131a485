/**
 * Computes one batch: log entries -> stream states and inputs -> waves -> outputs -> points and new states.
 * Nothing is written here. A throw leaves the slots in memory half advanced: the caller clears the shard's series and replays.
 */
import { type Advanced, advanceRows, emptyAdvanced, type Row, type Table } from './advance-rows.ts';
import type { Chunk } from './chunk.ts';
import { decodeChunk } from './chunk-codec.ts';
import type { StepEngine } from './engine.ts';
import type { OnEvent } from './events.ts';
import { escapeTag, pointTime, stringField } from './line-protocol.ts';
import type { Fence, LogEntry, ShardStore } from './ports.ts';
import type { DeadLetter, Shard } from './record.ts';
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
  readonly lines: readonly string[];
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
  const keys = new Set(rows.map(({ chunk, row }) => chunk.keys[chunk.keyOf[row]]));
  const idle = stream.idleTtlMs === undefined ? [] : await input.series.findIdle(input, stream.idleTtlMs);
  input.series.evict(input.seriesMax, keys);
  await input.series.open(keys, input);
  const table: Table = {
    rows,
    inputs: new Float32Array(rows.length * stream.inputSize),
    outputs: new Float32Array(rows.length * stream.outputSize),
    context: new Float64Array(rows.length * stream.contextSize),
  };
  const advanced = emptyAdvanced();
  let emitted: { readonly lines: string[]; readonly forecasts: number };
  try {
    advanceRows(input, table, advanced);
    await stepRows(engine, advanced, table);
    emitted = emitRows(input, table, advanced);
  } finally {
    // Nobody else knows the slots of series that ended: also a step that throws must give them back.
    for (const slot of advanced.ended) input.memory.close(slot);
  }
  const { lines, forecasts } = emitted;
  const removed =
    stream.idleTtlMs === undefined ? [] : input.series.closeIdle(idle, advanced.touched, stream.idleTtlMs);
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
  const counts = { records: rows.length, forecasts, late, repeated, restarted, swept };
  return { from: position, position: end, ...counts, lines, letters, keys: kept, states, removed };
}

function selectRows(entries: readonly LogEntry[], stream: Stream, position: number): Row[] {
  const rows: Row[] = [];
  for (const entry of entries) {
    const chunk = decodeChunk(entry.bytes, stream.schema);
    for (let row = 0; row < chunk.rows; row += 1) if (chunk.offsets[row] >= position) rows.push({ chunk, row });
  }
  return rows;
}

async function stepRows(engine: StepEngine, advanced: Advanced, table: Table): Promise<void> {
  const { inputs, outputs } = table;
  const { waves, runs } = planWaves(advanced.stepSlots, advanced.stepRows);
  for (const wave of waves) {
    const pending = engine.step({ ...wave, inputs, outputs });
    if (pending) await pending;
  }
  for (const run of runs) {
    const pending = engine.run({ ...run, inputs, outputs });
    if (pending) await pending;
  }
}

/** Points in offset order. A row whose outputs are not finite quarantines its series: an alert instead of forecasts, from this row on. */
function emitRows(input: BatchInput, table: Table, advanced: Advanced): { lines: string[]; forecasts: number } {
  const { stream, memory, shard } = input;
  const lines: string[] = [];
  let forecasts = 0;
  advanced.stepRows.forEach((i, at) => {
    const slot = advanced.stepSlots[at];
    if (memory.isQuarantined(slot)) return;
    const { chunk, row } = table.rows[i];
    const outputAt = i * stream.outputSize;
    if (!table.outputs.subarray(outputAt, outputAt + stream.outputSize).every(Number.isFinite)) {
      memory.quarantine(slot);
      lines.push(quarantineLine(input, chunk, row));
      return;
    }
    const output = { outputs: table.outputs, outputAt, context: table.context, contextAt: i * stream.contextSize };
    stream.emit(shard, chunk, row, output, lines);
    forecasts += 1;
  });
  return { lines, forecasts };
}

function quarantineLine(input: BatchInput, chunk: Chunk, row: number): string {
  const key = chunk.keys[chunk.keyOf[row]];
  const offset = chunk.offsets[row];
  const reason = 'The model gave a value that is not finite; the series makes no forecasts until it is reset.';
  input.onEvent({ type: 'quarantined', shard: input.shard, series: key, offset, reason });
  const tags = `kind=quarantine,series=${escapeTag(key)},stream=${escapeTag(input.stream.name)}`;
  return `alert,${tags} offset=${offset}i,partition=${input.shard.partition}i,reason=${stringField(reason)} ${pointTime(chunk, row)}`;
}
