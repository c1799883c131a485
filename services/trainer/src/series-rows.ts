import {
  type Chunk,
  ChunkBuilder,
  isLate,
  NO_TIMES,
  PoisonRecordError,
  type Stream,
  takeTime,
} from '@tideline/pipeline';
import type { SourceRecord } from '@tideline/streams';

/** The rows of one series that step the network, as the stream's own code computes them online. */
export interface SeriesRows {
  readonly key: string;
  readonly rows: number;
  /** [rows][inputSize] */
  readonly inputs: Float32Array;
  /** [rows][contextSize] */
  readonly context: Float64Array;
  /** Event time, epoch ms. */
  readonly timeMs: Float64Array;
  /** The record of each row. */
  readonly records: readonly SourceRecord[];
}

/** How many records were refused for one field, and the reason of the first. */
export interface Refused {
  readonly count: number;
  readonly reason: string;
}

/** What the stream took, and what it refused as it would online. */
export interface RowsRead {
  readonly series: readonly SeriesRows[];
  /** Records that cannot be read, by the field at fault ('': the whole record). */
  readonly refused: ReadonlyMap<string, Refused>;
  /** Late and repeated records, whatever became of them. */
  readonly untimely: number;
}

const ENCODER = new TextEncoder();

/** Decodes and advances all records by the stream's own `decode`, `repeats` and `advance` and its policy for late records: the same code offline and online. */
export function readRows(stream: Stream, records: Iterable<SourceRecord>): RowsRead {
  const counts = { refused: new Map<string, Refused>(), untimely: 0 };
  const series = decodeSeries(stream, records, counts).map((decoded) => advanceSeries(stream, decoded, counts));
  return { series: series.filter(({ rows }) => rows > 0), ...counts };
}

/** The same of a stream that may have to prepare its rows first. */
export async function readPreparedRows(stream: Stream, records: Iterable<SourceRecord>): Promise<RowsRead> {
  const counts = { refused: new Map<string, Refused>(), untimely: 0 };
  const series: SeriesRows[] = [];
  for (const decoded of decodeSeries(stream, records, counts)) {
    await stream.prepare?.(decoded.chunk, 0);
    series.push(advanceSeries(stream, decoded, counts));
  }
  return { series: series.filter(({ rows }) => rows > 0), ...counts };
}

interface Counts {
  readonly refused: Map<string, Refused>;
  untimely: number;
}

interface DecodedSeries {
  readonly key: string;
  readonly chunk: Chunk;
  /** Of each row. */
  readonly read: readonly SourceRecord[];
}

function decodeSeries(stream: Stream, records: Iterable<SourceRecord>, counts: Counts): DecodedSeries[] {
  const bySeries = new Map<string, SourceRecord[]>();
  for (const record of records) {
    const list = bySeries.get(record.key);
    if (list) list.push(record);
    else bySeries.set(record.key, [record]);
  }
  return [...bySeries].map(([key, list]) => decodeOne(stream, key, list, counts));
}

function decodeOne(stream: Stream, key: string, list: readonly SourceRecord[], counts: Counts): DecodedSeries {
  const builder = new ChunkBuilder(stream.schema, list.length);
  const read = list.filter((record, offset) => {
    const { value, timestampMs } = record;
    try {
      stream.decode(
        { offset, key: ENCODER.encode(key), value: ENCODER.encode(value), timestampMs, headers: {} },
        builder,
      );
      return true;
    } catch (error) {
      if (!(error instanceof PoisonRecordError)) throw error;
      const { count, reason } = counts.refused.get(error.field) ?? { count: 0, reason: error.message };
      counts.refused.set(error.field, { count: count + 1, reason });
      return false;
    }
  });
  return { key, chunk: builder.finish(list.length), read };
}

function advanceSeries(stream: Stream, { key, chunk, read }: DecodedSeries, counts: Counts): SeriesRows {
  const state = new Float64Array(stream.stateSize);
  const times = Float64Array.from(NO_TIMES);
  const inputs = new Float32Array(chunk.rows * stream.inputSize);
  const context = new Float64Array(chunk.rows * stream.contextSize);
  const steps: number[] = [];
  for (let row = 0; row < chunk.rows; row += 1) {
    const isUntimely =
      !stream.ends?.(chunk, row) && (isLate(chunk, row, times, 0) || stream.repeats?.(chunk, row, state, 0) === true);
    if (isUntimely) {
      counts.untimely += 1;
      if ((stream.late ?? 'apply') !== 'apply') continue;
    }
    const at = steps.length;
    const buffers = {
      state,
      stateAt: 0,
      inputs,
      inputAt: at * stream.inputSize,
      context,
      contextAt: at * stream.contextSize,
    };
    const isStep = stream.advance(chunk, row, buffers) === 'step';
    takeTime(chunk, row, { isStep, watermarkMs: Number.NEGATIVE_INFINITY }, times, 0);
    if (isStep) steps.push(row);
  }
  return {
    key,
    rows: steps.length,
    inputs: inputs.subarray(0, steps.length * stream.inputSize),
    context: context.subarray(0, steps.length * stream.contextSize),
    timeMs: Float64Array.from(steps, (row) => chunk.timeMs[row]),
    records: steps.map((row) => read[row]),
  };
}
