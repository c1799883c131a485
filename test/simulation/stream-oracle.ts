/**
 * The straight run of a real stream over a real network: record by record, one slot a series. It shares stream and reference engine with the
 * pipeline, but no batch, no wave, no state bytes, no commit.
 */
import { createReferenceEngine, type Model } from '@tideline/nn';
import { ChunkBuilder, PoisonRecordError, type SequenceEnd, type Stream, splitLine } from '@tideline/pipeline';
import type { ShardExpectation, StateAt } from './expectation.ts';
import { IdleOracle } from './idle-oracle.ts';
import { NO_TRACE, newTimes, type OracleTimes, type OracleTrace, stateBytes, traceAfter } from './oracle-state.ts';
import type { SimPartition } from './sim-kafka.ts';

interface Series {
  readonly slot: number;
  readonly state: Float64Array;
  readonly output: Float64Array;
  readonly times: OracleTimes;
  trace: OracleTrace;
}

export function expectStream(
  { stream, model, from }: { readonly stream: Stream; readonly model: Model; readonly from: number },
  { shard, low, records }: SimPartition,
  points: Map<string, string>,
): ShardExpectation {
  const engine = createReferenceEngine(model, { slotsMax: 10_000 });
  const live = new Map<string, Series>();
  const states = new Map<string, StateAt[]>();
  const own: { offset: number; identity: string }[] = [];
  const poison: number[] = [];
  const touched: { offset: number; key: string }[] = [];
  const idle = new IdleOracle(stream.idleTtlMs ?? null);
  let end = low;
  /** `offset` null: the sequence may be told, and need not. */
  const tell = (offset: number | null, lines: readonly string[]): void => {
    for (const line of lines) {
      const { head, fields, time } = splitLine(line);
      if (offset !== null) own.push({ offset, identity: `${head} ${time}` });
      points.set(`${head} ${time}`, fields);
    }
  };
  const close = (offset: number | null, key: string, series: Series, last: Pick<SequenceEnd, 'cause' | 'by'>): void => {
    const lines: string[] = [];
    stream.close?.(shard, { ...last, key, streamState: series.state, state: series.output }, lines);
    tell(offset, lines);
  };
  for (const { record } of records) {
    const { offset } = record;
    end = offset + 1;
    if (offset < from) continue;
    const builder = new ChunkBuilder(stream.schema, 1);
    try {
      stream.decode(record, builder);
    } catch (error) {
      if (!(error instanceof PoisonRecordError)) throw error;
      poison.push(offset);
      continue;
    }
    const chunk = builder.finish(end);
    const key = chunk.keys[0];
    touched.push({ offset, key });
    const silent = live.get(key);
    if (silent && idle.wasSilent(silent.times, chunk.timeMs[0])) {
      close(offset, key, silent, { cause: 'silent', by: null });
      engine.release(silent.slot);
      live.delete(key);
    }
    const taken = idle.take(offset, key, chunk.timeMs[0]);
    const before = live.get(key);
    const beginsAnew = before && stream.begins?.(chunk, 0) && chunk.timeMs[0] >= before.times.stepped;
    if (beginsAnew) {
      close(offset, key, before, { cause: 'restarted', by: null });
      engine.release(before.slot);
    }
    const series = (beginsAnew ? undefined : before) ?? {
      ...{ slot: engine.allocate(), state: new Float64Array(stream.stateSize) },
      output: new Float64Array(stream.outputState?.size ?? 0),
      times: newTimes(),
      trace: NO_TRACE,
    };
    live.set(key, series);
    const inputs = new Float32Array(stream.inputSize);
    const outputs = new Float32Array(stream.outputSize);
    const context = new Float64Array(stream.contextSize);
    const at = { state: series.state, stateAt: 0, inputs, inputAt: 0, context, contextAt: 0 };
    const action = stream.advance(chunk, 0, at);
    const history = states.get(key) ?? [];
    states.set(key, history);
    if (action === 'end') {
      close(offset, key, series, { cause: 'ended', by: { chunk, row: 0 } });
      engine.release(series.slot);
      live.delete(key);
      history.push({ offset, bytes: null });
      continue;
    }
    series.times.taken = taken;
    series.times.heard = Math.max(series.times.heard, chunk.timeMs[0]);
    if (action === 'step') {
      series.times.stepped = Math.max(series.times.stepped, chunk.timeMs[0]);
      engine.step({ slots: Uint32Array.of(series.slot), rows: Uint32Array.of(0), inputs, outputs });
      series.trace = traceAfter(series.trace, inputs, outputs);
      const lines: string[] = [];
      const behind = { inputs, inputAt: 0, state: series.output, stateAt: 0 };
      stream.emit(shard, chunk, 0, { outputs, outputAt: 0, context, contextAt: 0, ...behind }, lines);
      tell(offset, lines);
    }
    const hidden = new Float32Array(engine.stateSize);
    engine.readStates([series.slot], hidden);
    const { digest: modelDigest } = model;
    history.push({
      offset,
      takenMs: taken,
      bytes: stateBytes({
        ...{ isQuarantined: false, modelDigest, times: series.times, trace: series.trace },
        ...{ stream: series.state, hidden },
        ...(stream.outputState ? { output: { meaning: stream.outputState.meaning, values: series.output } } : {}),
      }),
    });
  }
  if (stream.idleTtlMs !== undefined)
    for (const [key, series] of live) close(null, key, series, { cause: 'silent', by: null });
  engine.dispose();
  return { states, points: own, poison, touched, idle: idle.expectation(), restarts: idle.restarts, end };
}
