/**
 * History through the pipeline itself: the ingest and the forecaster of the services over the adapters in memory, one shard, record by record as a source
 * would deliver them. What a forecast is, is what they emit; a row is observed at the stream's `emit`, so that what came later can be set against it.
 */
import { randomUUID } from 'node:crypto';
import { createMemoryDeadLetterSink, createMemoryShardStore } from '@tideline/adapters';
import { createEngine, type Model } from '@tideline/nn';
import {
  createIngest,
  Forecaster,
  type Lines,
  type OnEvent,
  type RawRecord,
  type Stream,
  type Ticket,
} from '@tideline/pipeline';
import { sleep } from '@tideline/runtime';
import type { SourceRecord } from '@tideline/streams';
import type { Refused } from '../series-rows.ts';
import { letSignalsThrough } from '../signals.ts';

/** One series' steps as the pipeline made them. */
export interface SeriesPass {
  readonly key: string;
  readonly rows: number;
  /** [rows][outputSize], the network's own. */
  readonly outputs: Float32Array;
  /** [rows][contextSize]; a declared stream's `rowValuesOf` says what stands where. */
  readonly context: Float64Array;
  /** Event time, epoch ms. */
  readonly timeMs: Float64Array;
  /** Place in `records` of the record that made the row. */
  readonly record: Float64Array;
  /** [rows][reader.size], what the reader took from the row's points; NaN where it took nothing. */
  readonly said: Float64Array;
}

/** Takes numbers from the points of a row: what the pipeline said, and not what the network answered. */
export interface PointReader {
  readonly size: number;
  /** `lines`: the row's points, in line protocol, as emitted. `into` has `size` NaNs. */
  readonly read: (lines: readonly string[], into: Float64Array) => void;
}

export interface PipelinePass {
  readonly series: readonly SeriesPass[];
  /** Every point that was written, in line protocol; empty unless `keepLines`. */
  readonly lines: readonly string[];
  readonly records: number;
  /** Records in the dead letters: how many for one field, by the first one's reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Late and repeated records, whatever became of them. */
  readonly untimely: number;
  /** Series that were quarantined, with the reason. */
  readonly quarantined: Readonly<Record<string, string>>;
  /** Which engine stepped. */
  readonly engine: string;
}

export interface PipelinePassOptions {
  readonly stream: Stream;
  readonly model: Model;
  /** In the order in which a source delivers them: that of time, all series mixed. */
  readonly records: Iterable<SourceRecord>;
  readonly keepLines?: boolean;
  readonly reader?: PointReader;
  /** Stops between two batches. */
  readonly signal?: AbortSignal;
}

/** Records that stand in memory as text at once. */
const BATCH_RECORDS = 5_000;
const LOG_BYTES_MAX = 64 * 1024 * 1024;
const SERIES_MAX = 1_000_000;
const ENCODER = new TextEncoder();

/** Runs the records through ingest and forecaster. Throws what they throw: an engine that does not load, a model that is broken. */
export async function pipelinePass(options: PipelinePassOptions): Promise<PipelinePass> {
  const { stream, model, records, signal = new AbortController().signal } = options;
  const observed = observing(stream, options.reader ?? { size: 0, read: () => undefined });
  const shard = { topic: stream.name, partition: 0 };
  const { engine } = await createEngine(model, { kind: 'auto', slotsMax: 2 * SERIES_MAX });
  const counts: Counts = { refused: new Map(), untimely: 0, quarantined: new Map() };
  const lines: string[] = [];
  let ticket: Ticket | null = null;
  await using store = createMemoryShardStore({ logBytesMax: LOG_BYTES_MAX });
  await using deadLetters = createMemoryDeadLetterSink();
  const shared = {
    ...{ store, deadLetters, sleep, onEvent: counting(counts) },
    // One shard and one process: the ticket waits here until the batch is appended.
    queue: {
      announce: async (announced: Ticket) => {
        ticket = announced;
      },
    },
  };
  const forecaster = new Forecaster({
    ...shared,
    ...{ live: null, foreignModel: 'adopt', owner: randomUUID() },
    topics: new Map([[stream.name, { stream: observed.stream, engine }]]),
    sink: {
      write: async (written: Lines) => {
        if (options.keepLines) for (const line of written) lines.push(line);
      },
      async [Symbol.asyncDispose]() {},
    },
    ...{ batchEntriesMax: 8, sliceRecordsMax: Number.MAX_SAFE_INTEGER, seriesMax: SERIES_MAX },
  });
  const ingest = createIngest({
    ...shared,
    queue: { ...shared.queue, work: async () => {}, drain: async () => {}, async [Symbol.asyncDispose]() {} },
    ...{ streams: new Map([[stream.name, stream]]), signal, chunkRowsMax: 2_000, fullRetryMs: 1 },
  });
  try {
    await ingest.start(shard);
    let from = 0;
    for (const batch of batchesOf(records)) {
      await letSignalsThrough();
      signal.throwIfAborted();
      const next = from + batch.length;
      await ingest.batch({ shard, from, next, records: batch });
      if (ticket !== null) await forecaster.handle(ticket, signal);
      from = next;
    }
    const found = { records: from, untimely: counts.untimely, engine: engine.name };
    const refused = Object.fromEntries([...counts.refused.values()].map(({ count, reason }) => [reason, count]));
    return { series: observed.series(), lines, ...found, refused, quarantined: Object.fromEntries(counts.quarantined) };
  } finally {
    engine.dispose();
  }
}

function* batchesOf(records: Iterable<SourceRecord>): Generator<RawRecord[]> {
  let batch: RawRecord[] = [];
  let offset = 0;
  for (const { key, value, timestampMs } of records) {
    batch.push({ offset, key: ENCODER.encode(key), value: ENCODER.encode(value), timestampMs, headers: {} });
    offset += 1;
    if (batch.length < BATCH_RECORDS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

interface Counts {
  /** By the field at fault: reasons name values, so there may be as many as records. */
  readonly refused: Map<string, Refused>;
  untimely: number;
  readonly quarantined: Map<string, string>;
}

function counting(counts: Counts): OnEvent {
  return (event) => {
    if (event.type === 'dead-lettered') {
      const { count, reason } = counts.refused.get(event.field) ?? { count: 0, reason: event.reason };
      counts.refused.set(event.field, { count: count + 1, reason });
    }
    if (event.type === 'late') counts.untimely += event.late + event.repeated;
    if (event.type === 'quarantined') counts.quarantined.set(event.series, event.reason);
  };
}

interface Growing {
  readonly outputs: number[];
  readonly context: number[];
  readonly timeMs: number[];
  readonly record: number[];
  readonly said: number[];
}

/** The stream with every emitted row written down on its way. */
function observing(
  stream: Stream,
  reader: PointReader,
): { readonly stream: Stream; readonly series: () => SeriesPass[] } {
  const { outputSize, contextSize } = stream;
  const bySeries = new Map<string, Growing>();
  const said = new Float64Array(reader.size);
  const emit: Stream['emit'] = (shard, chunk, row, output, lines) => {
    const key = chunk.keys[chunk.keyOf[row]];
    const one = bySeries.get(key) ?? { outputs: [], context: [], timeMs: [], record: [], said: [] };
    bySeries.set(key, one);
    for (let i = 0; i < outputSize; i += 1) one.outputs.push(output.outputs[output.outputAt + i]);
    for (let i = 0; i < contextSize; i += 1) one.context.push(output.context[output.contextAt + i]);
    one.timeMs.push(chunk.timeMs[row]);
    one.record.push(chunk.offsets[row]);
    if (reader.size === 0) {
      stream.emit(shard, chunk, row, output, lines);
      return;
    }
    const points: string[] = [];
    stream.emit(shard, chunk, row, output, points);
    reader.read(points, said.fill(Number.NaN));
    one.said.push(...said);
    for (const point of points) lines.push(point);
  };
  return {
    stream: { ...stream, emit },
    series: () =>
      [...bySeries].map(([key, one]) => ({
        ...{ key, rows: one.timeMs.length, outputs: Float32Array.from(one.outputs) },
        ...{ context: Float64Array.from(one.context), said: Float64Array.from(one.said) },
        ...{ timeMs: Float64Array.from(one.timeMs), record: Float64Array.from(one.record) },
      })),
  };
}
