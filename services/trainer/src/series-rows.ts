import { ChunkBuilder, type Stream } from '@tideline/pipeline';
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

const ENCODER = new TextEncoder();

/** Decodes and advances all records by the stream's own `decode` and `advance`: the same code offline and online. */
export function seriesRows(stream: Stream, records: Iterable<SourceRecord>): SeriesRows[] {
  const bySeries = new Map<string, SourceRecord[]>();
  for (const record of records) {
    const list = bySeries.get(record.key);
    if (list) list.push(record);
    else bySeries.set(record.key, [record]);
  }
  return [...bySeries].map(([key, list]) => oneSeries(stream, key, list));
}

function oneSeries(stream: Stream, key: string, list: readonly SourceRecord[]): SeriesRows {
  const builder = new ChunkBuilder(stream.schema, list.length);
  list.forEach((record, offset) => {
    const { value, timestampMs } = record;
    stream.decode(
      { offset, key: ENCODER.encode(key), value: ENCODER.encode(value), timestampMs, headers: {} },
      builder,
    );
  });
  const chunk = builder.finish(list.length);
  const state = new Float64Array(stream.stateSize);
  const inputs = new Float32Array(list.length * stream.inputSize);
  const context = new Float64Array(list.length * stream.contextSize);
  const steps: number[] = [];
  for (let row = 0; row < chunk.rows; row += 1) {
    const at = steps.length;
    const buffers = {
      state,
      stateAt: 0,
      inputs,
      inputAt: at * stream.inputSize,
      context,
      contextAt: at * stream.contextSize,
    };
    if (stream.advance(chunk, row, buffers) === 'step') steps.push(row);
  }
  return {
    key,
    rows: steps.length,
    inputs: inputs.subarray(0, steps.length * stream.inputSize),
    context: context.subarray(0, steps.length * stream.contextSize),
    timeMs: Float64Array.from(steps, (row) => chunk.timeMs[row]),
    records: steps.map((row) => list[row]),
  };
}
