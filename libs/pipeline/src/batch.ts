/**
 * Computes one batch: log entries -> stream states and inputs -> waves -> outputs -> points and new states.
 * Nothing is written here. A throw leaves the slots in memory half advanced: the caller clears the shard's series and replays.
 */
import { type Advanced, advanceRows, emptyAdvanced, type Table } from './advance-rows.ts';
import { selectRows } from './batch-rows.ts';
import type { Chunk } from './chunk.ts';
import type { StepEngine } from './engine.ts';
import type { OnEvent } from './events.ts';
import { escapeTag, pointTime, stringField } from './line-protocol.ts';
import { type Lines, PointLines } from './point-lines.ts';
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
  let emitted: { readonly lines: Lines; readonly forecasts: number };
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

/** Points in offset order. A row whose outputs are not finite quarantines its series: an alert instead of forecasts, from this row on. */
function emitRows(input: BatchInput, table: Table, { steps }: Advanced): { lines: Lines; forecasts: number } {
  const { stream, memory, shard } = input;
  const { stretches } = table.rows;
  const { outputSize, contextSize } = stream;
  const { outputs, context } = table;
  const output = { outputs, outputAt: 0, context, contextAt: 0 };
  const lines = new PointLines(steps.count);
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
    if (areFinite(outputs, output.outputAt, outputSize)) {
      stream.emit(shard, chunk, row, output, lines);
      forecasts += 1;
    } else {
      memory.quarantine(slot);
      lines.push(quarantineLine(input, chunk, row));
    }
  }
  return { lines, forecasts };
}

function areFinite(values: Float32Array, at: number, count: number): boolean {
  for (let i = at; i < at + count; i += 1) if (!Number.isFinite(values[i])) return false;
  return true;
}

function quarantineLine(input: BatchInput, chunk: Chunk, row: number): string {
  const key = chunk.keys[chunk.keyOf[row]];
  const offset = chunk.offsets[row];
  const reason = 'The model gave a value that is not finite; the series makes no forecasts until it is reset.';
  input.onEvent({ type: 'quarantined', shard: input.shard, series: key, offset, reason });
  const tags = `kind=quarantine,series=${escapeTag(key)},stream=${escapeTag(input.stream.name)}`;
  return `alert,${tags} offset=${offset}i,partition=${input.shard.partition}i,reason=${stringField(reason)} ${pointTime(chunk, row)}`;
}
