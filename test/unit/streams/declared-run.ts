/** Rows of a declared stream as the pipeline computes them: decoded into a chunk, then advanced row by row. */
import { ChunkBuilder, type RawRecord, type Stream } from '@tideline/pipeline';
import { createDeclaredStream, readDeclaration } from '@tideline/streams';

export const TS = 1_700_000_000_000;

export function rawRecord(value: Readonly<Record<string, unknown>> | string, offset = 0): RawRecord {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { offset, key: null, value: Buffer.from(text), timestampMs: 0, headers: {} };
}

export function streamOf(text: string): Stream {
  return createDeclaredStream(readDeclaration('test', text), { modelName: 'm' });
}

export interface RowValues {
  readonly action: string;
  readonly inputs: readonly number[];
  readonly context: readonly number[];
}

/** Every record through `decode` and `advance`, each series with its own state. */
export function advanceAll(stream: Stream, records: readonly RawRecord[]): RowValues[] {
  const builder = new ChunkBuilder(stream.schema, records.length);
  for (const record of records) stream.decode(record, builder);
  const chunk = builder.finish(records.length);
  const state = new Float64Array(chunk.keys.length * stream.stateSize);
  return records.map((_, row) => {
    const inputs = new Float32Array(stream.inputSize);
    const context = new Float64Array(stream.contextSize);
    const stateAt = chunk.keyOf[row] * stream.stateSize;
    const action = stream.advance(chunk, row, { state, stateAt, inputs, inputAt: 0, context, contextAt: 0 });
    return { action, inputs: [...inputs], context: [...context] };
  });
}

/** What the network sees of each value of field `x`, a second apart, where the stream has these features. */
export function inputsOf(features: string, values: readonly (number | null)[]): number[][] {
  const stream = streamOf(
    `{name: t, key: k, time: ts, fields: {x: {required: false, above: -1e9}, p: {required: false, above: 0}}, ` +
      `features: [${features}], output: {kind: raw, fields: [y]}}`,
  );
  const records = values.map((x, i) =>
    rawRecord({ k: 'a', ts: TS + i * 1000, x, p: x !== null && x > 0 ? x : null }, i),
  );
  return advanceAll(stream, records).map(({ inputs }) => [...inputs]);
}
