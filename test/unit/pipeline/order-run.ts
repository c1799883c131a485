/** Runs records through the real ingest and forecaster over the memory adapters, in chunks, batches and with crashes as a seed draws them. */
import { createMemoryDeadLetterSink, createMemoryPointSink, createMemoryShardStore } from '@tideline/adapters';
import {
  createIngest,
  type DeadLetter,
  Forecaster,
  type PipelineEvent,
  type PointSink,
  type RawRecord,
  type Shard,
  type ShardStore,
  type StepEngine,
  type Stream,
} from '@tideline/pipeline';

export const SHARD: Shard = { topic: 'chain', partition: 0 };
const NEVER = new AbortController().signal;

export interface RunOptions {
  readonly stream: Stream;
  readonly newEngine: () => StepEngine;
  readonly draw: (below: number) => number;
  /** A handler dies after so many writes to the sink, drawn up to this; 0: never. */
  readonly writesACrash: number;
  readonly seriesMax?: number;
  /** Default: a new one in memory. */
  readonly store?: ShardStore;
  /** Records of a source's batch, rows of a chunk and chunks of a forecaster's batch, where they are not to be drawn. */
  readonly sizes?: readonly [number, number, number];
  /** Called between two services of the shard with the store as it is committed. */
  readonly onCommitted?: (store: ShardStore) => Promise<void>;
}

export interface RunResult {
  readonly lines: readonly string[];
  readonly letters: readonly DeadLetter[];
  readonly states: ReadonlyMap<string, string>;
  readonly events: readonly PipelineEvent[];
  readonly crashes: number;
}

export async function runRecords(records: readonly RawRecord[], options: RunOptions): Promise<RunResult> {
  const { stream, draw, writesACrash } = options;
  const sizes = options.sizes ?? [1 + draw(25), 1 + draw(9), 1 + draw(4)];
  const store = options.store ?? createMemoryShardStore({ logBytesMax: 1e9 });
  const deadLetters = createMemoryDeadLetterSink();
  const sink = createMemoryPointSink();
  const events: PipelineEvent[] = [];
  const onEvent = (event: PipelineEvent): void => void events.push(event);
  const sleep = (): Promise<void> => Promise.resolve();
  const queue = { announce: () => Promise.resolve() };
  const ingest = createIngest({
    ...{ store, deadLetters, sleep, onEvent, signal: NEVER, streams: new Map([[SHARD.topic, stream]]) },
    queue: { ...queue, work: sleep, drain: sleep, [Symbol.asyncDispose]: sleep },
    chunkRowsMax: sizes[1],
    fullRetryMs: 1,
  });
  let crashes = 0;
  let forecaster: Forecaster | null = null;
  let left = Number.POSITIVE_INFINITY;
  const dying: PointSink = {
    async write(lines) {
      left -= 1;
      if (left === 0 && draw(2) === 0) throw new Error('Killed before the write.');
      await sink.write(lines);
      if (left === 0) throw new Error('Killed after the write.');
    },
    [Symbol.asyncDispose]: sleep,
  };
  const serve = async (): Promise<void> => {
    for (;;) {
      if (forecaster === null) {
        left = writesACrash === 0 ? Number.POSITIVE_INFINITY : 1 + draw(writesACrash);
        forecaster = new Forecaster({
          foreignModel: 'leave',
          ...{ store, queue, sink: dying, deadLetters, live: null, sleep, onEvent, owner: `owner-${crashes}` },
          topics: new Map([[SHARD.topic, { stream, engine: options.newEngine() }]]),
          batchEntriesMax: sizes[2],
          sliceRecordsMax: 1e6,
          seriesMax: options.seriesMax ?? 100,
        });
      }
      try {
        return await forecaster.handle({ shard: SHARD, number: 1 }, NEVER);
      } catch {
        crashes += 1;
        forecaster = null;
      }
    }
  };
  await ingest.start(SHARD);
  for (let at = 0; at < records.length; ) {
    const [size] = sizes;
    const part = records.slice(at, at + size);
    const next = records[at + size]?.offset ?? part[part.length - 1].offset + 1;
    await ingest.batch({ shard: SHARD, from: at === 0 ? 0 : part[0].offset, next, records: part });
    at += size;
    if (draw(3) === 0) {
      await serve();
      await options.onCommitted?.(store);
    }
  }
  await serve();
  await options.onCommitted?.(store);
  const states = new Map<string, string>();
  for await (const { key, bytes } of store.states(SHARD)) states.set(key, Buffer.from(bytes).toString('hex'));
  return { lines: [...sink.lines()], letters: deadLetters.letters(), states, events, crashes };
}
