/**
 * The oracle: an offline pass over the records of Kafka, record by record, with one slot a series. It shares the stream and the portable kernel with
 * the pipeline, but no chunks of its making, no waves, no state bytes, no commits.
 */
import { createKafkaSource } from '@tideline/adapters';
import { createSimdEngine, type Model } from '@tideline/nn';
import {
  ChunkBuilder,
  PoisonRecordError,
  type RawRecord,
  type Shard,
  type Stream,
  shardName,
} from '@tideline/pipeline';
import { eventually, uniqueName } from '../stack/index.ts';

/** Every record of a topic, by shard, in order. */
export async function readTopic(options: {
  readonly brokers: string;
  readonly topic: string;
  readonly records: number;
}): Promise<Map<Shard, RawRecord[]>> {
  const shards = new Map<string, { readonly shard: Shard; readonly records: RawRecord[] }>();
  let count = 0;
  await using source = createKafkaSource({
    brokers: [options.brokers],
    topics: [options.topic],
    groupId: uniqueName('oracle'),
  });
  await source.run({
    start: () => Promise.resolve(null),
    batch: ({ shard, records }) => {
      const name = shardName(shard);
      const known = shards.get(name) ?? { shard, records: [] };
      shards.set(name, known);
      known.records.push(...records);
      count += records.length;
      return Promise.resolve({ seek: null });
    },
  });
  await eventually(`all ${options.records} records of ${options.topic} read`, () => count >= options.records, 60_000);
  return new Map([...shards.values()].map(({ shard, records }) => [shard, records]));
}

/** The points that a run without faults makes of the records. */
export async function offlinePass(
  stream: Stream,
  model: Model,
  shards: ReadonlyMap<Shard, readonly RawRecord[]>,
): Promise<string[]> {
  const lines: string[] = [];
  for (const [shard, records] of shards) {
    const engine = createSimdEngine(model, { slotsMax: 1_000_000 });
    const series = new Map<
      string,
      { readonly slot: number; readonly state: Float64Array; readonly output: Float64Array }
    >();
    for (const record of records) {
      const builder = new ChunkBuilder(stream.schema, 1);
      try {
        stream.decode(record, builder);
      } catch (error) {
        if (error instanceof PoisonRecordError) continue;
        throw error;
      }
      const chunk = builder.finish(record.offset + 1);
      const key = chunk.keys[0];
      const one = series.get(key) ?? {
        ...{ slot: engine.allocate(), state: new Float64Array(stream.stateSize) },
        output: new Float64Array(stream.outputState?.size ?? 0),
      };
      series.set(key, one);
      const inputs = new Float32Array(stream.inputSize);
      const outputs = new Float32Array(stream.outputSize);
      const context = new Float64Array(stream.contextSize);
      if (stream.prepare) await stream.prepare(chunk, 0);
      const action = stream.advance(chunk, 0, {
        state: one.state,
        stateAt: 0,
        inputs,
        inputAt: 0,
        context,
        contextAt: 0,
      });
      if (action === 'end') {
        const end = { key, cause: 'ended', by: { chunk, row: 0 }, streamState: one.state, state: one.output } as const;
        stream.close?.(shard, end, lines);
        engine.release(one.slot);
        series.delete(key);
      }
      if (action !== 'step') continue;
      engine.step({ slots: Uint32Array.of(one.slot), rows: Uint32Array.of(0), inputs, outputs });
      const row = { outputs, outputAt: 0, context, contextAt: 0, inputs, inputAt: 0, state: one.output, stateAt: 0 };
      stream.emit(shard, chunk, 0, row, lines);
    }
    engine.dispose();
  }
  return lines;
}
