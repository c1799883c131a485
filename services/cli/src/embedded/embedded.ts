/**
 * The whole pipeline in one process with no server: the same core as the real stack over other adapters
 * (a feed for Kafka, LMDB for Redis, an in-process queue for BullMQ, a line-protocol file for InfluxDB).
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  createFeedSource,
  createLineFileSink,
  createLmdbDeadLetterSink,
  createLmdbShardStore,
  createMemoryLiveFeed,
  createMemoryTicketQueue,
  type FeedRecord,
  type LineFileSink,
} from '@tideline/adapters';
import { loadTopics } from '@tideline/forecaster';
import type { KeepAcknowledgement } from '@tideline/gateway';
import type { EngineKind } from '@tideline/nn';
import {
  announceOutstanding,
  createIngest,
  type DeadLetterSink,
  Forecaster,
  type LatePolicy,
  type LiveFeed,
  type OnEvent,
  PointDigest,
  PointLines,
  type ShardStore,
  shardName,
} from '@tideline/pipeline';
import { ResourceStack, sleep } from '@tideline/runtime';
import { ACKNOWLEDGEMENT_PREFIX, type Acknowledgement, acknowledgementLine, type TopicStream } from '@tideline/streams';
import type { AlertDeliveries } from './alert-deliveries.ts';
import { type EmbeddedStats, StatsCounter } from './stats.ts';

export interface EmbeddedOptions {
  /** Holds the LMDB stores and `points.lp`. */
  readonly folder: string;
  readonly modelsFolder: string;
  /** Topics and the stream that reads each. */
  readonly streams: readonly TopicStream[];
  /** What happens to late and repeated records; default `apply`. */
  readonly late?: LatePolicy;
  /** Event time after which a silent series starts anew; null: never; absent: as each stream has it. */
  readonly idleTtlMs?: number | null;
  /** Whether built-in streams of quantiles score and calibrate their forecasts. */
  readonly isVerified: boolean;
  readonly engine: EngineKind;
  readonly open: () => AsyncIterable<FeedRecord> | Iterable<FeedRecord>;
  readonly replayable: boolean;
  readonly pace?: (records: readonly FeedRecord[], signal: AbortSignal) => Promise<void>;
  readonly batchRecordsMax: number;
  /** Delivers alerts; none: they are points alone. Opened and closed with the pipeline. */
  readonly openAlerts?: (deadLetters: DeadLetterSink) => Promise<AlertDeliveries | null>;
  readonly onNote: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Told of trouble that the pipeline waits out, such as a full disk; once for each operation that has to be repeated. */
  readonly onWarning: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** What a finished run prints. */
export interface EmbeddedSummary {
  /** Records stepped or recorded as their series' events; with `deadLetters` all that came in. */
  readonly records: number;
  /** Points of measurements `forecast`, `sentiment` and `arrivals`. */
  readonly forecasts: number;
  readonly series: number;
  /** Late and repeated records, whatever became of them. */
  readonly late: number;
  readonly deadLetters: number;
  readonly seconds: number;
  readonly engine: string;
  /** SHA-256 over all points. */
  readonly digest: string;
}

/** A running embedded pipeline. */
export interface Embedded extends AsyncDisposable {
  readonly live: LiveFeed;
  /** Keeps who has taken an alert on, beside the points, and tells the page. */
  readonly keepAcknowledgement: KeepAcknowledgement;
  stats(): EmbeddedStats;
  /** Resolves with the summary when the feed is at its end and every shard is drained; rejects where the pipeline failed. */
  finished(signal: AbortSignal): Promise<EmbeddedSummary>;
}

const LOG_BYTES_MAX = 64 * 1024 * 1024;
const SERIES_MAX = 100_000;
const PARTITIONS = 4;
const DRAIN_POLL_MS = 10;

export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const started = performance.now();
  const stack = new ResourceStack();
  const counter = new StatsCounter();
  const abort = new AbortController();
  const { signal } = abort;
  const { topics, engine } = await loadEngines(options);
  const store = stack.use(createLmdbShardStore({ folder: join(options.folder, 'shards'), logBytesMax: LOG_BYTES_MAX }));
  const deadLetters = stack.use(createLmdbDeadLetterSink({ folder: join(options.folder, 'dead-letters') }));
  const sink = stack.use(await createLineFileSink({ path: join(options.folder, 'points.lp') }));
  const deliveries = (await options.openAlerts?.(deadLetters)) ?? null;
  if (deliveries !== null) stack.use(deliveries);
  const live = stack.use(createMemoryLiveFeed());
  let failure: unknown;
  const queue = stack.use(
    createMemoryTicketQueue({
      onError: (error) => {
        failure ??= error;
      },
    }),
  );
  const onEvent: OnEvent = (event) => {
    counter.onEvent(event);
    if (event.type === 'retrying' && event.attempt === 1)
      options.onWarning('A shard waits and tries again.', { shard: shardName(event.shard), reason: event.reason });
  };
  const forecaster = new Forecaster({
    foreignModel: 'adopt',
    ...{ store, queue, sink: deliveries?.besides(sink) ?? sink, deadLetters, live, topics, sleep, onEvent },
    owner: randomUUID(),
    batchEntriesMax: 8,
    sliceRecordsMax: 50_000,
    seriesMax: SERIES_MAX,
  });
  const streams = new Map([...topics].map(([topic, { stream }]) => [topic, stream]));
  const source = stack.use(createFeedSource({ ...options, partitions: PARTITIONS }));
  const handler = createIngest({
    store,
    queue,
    deadLetters,
    streams,
    ...{ sleep, signal, onEvent },
    chunkRowsMax: 2_000,
    fullRetryMs: 20,
  });
  await queue.work((ticket, lost) => forecaster.handle(ticket, lost), { concurrency: PARTITIONS });
  await announceOutstanding({ store, queue });
  await source.run(handler);
  return {
    live,
    keepAcknowledgement: acknowledgementKeeper(sink, live),
    stats: () => counter.stats({ engine, series: forecaster.series }),
    async finished(stop) {
      await source.finished;
      await drained(store, stop, () => failure);
      const seconds = Math.round(performance.now() - started) / 1000;
      const counts = { late: counter.late, deadLetters: deadLetters.count };
      return { ...(await summarise(sink, counter.records - counter.refused)), ...counts, seconds, engine };
    },
    async [Symbol.asyncDispose]() {
      await source.drain();
      forecaster.stop();
      await queue.drain();
      abort.abort();
      await stack[Symbol.asyncDispose]();
      for (const topic of topics.values()) topic.engine.dispose();
    },
  };
}

/** What is already on the page from runs before is the gateway's to know. */
function acknowledgementKeeper(sink: LineFileSink, live: LiveFeed): KeepAcknowledgement {
  const standing = new Map<string, Acknowledgement>();
  return async (alert, own) => {
    const first = standing.get(alert.id);
    if (first !== undefined) return first;
    standing.set(alert.id, own);
    const lines = PointLines.of([acknowledgementLine(alert, own)]);
    await sink.write(lines);
    live.publish(lines);
    return own;
  };
}

/** Streams and engines by topic, and the names of the engines. */
async function loadEngines(
  options: EmbeddedOptions,
): Promise<{ readonly topics: Awaited<ReturnType<typeof loadTopics>>; readonly engine: string }> {
  const engines = new Set<string>();
  const { late, idleTtlMs, isVerified } = options;
  const rules = {
    isVerified,
    ...(late === undefined ? {} : { late }),
    ...(idleTtlMs === undefined ? {} : { idleTtlMs }),
  };
  const topics = await loadTopics({
    streams: options.streams.map((entry) => ({ ...entry, ...rules })),
    modelsFolder: options.modelsFolder,
    engine: options.engine,
    slotsMax: 2 * SERIES_MAX,
    onEngine: ({ topic, engine, reasons }) => {
      engines.add(engine.name);
      options.onNote('Engine chosen.', { topic, engine: engine.name, model: engine.modelName, reasons });
    },
  });
  return { topics, engine: [...engines].join(',') };
}

/** Waits until every shard's position is at its head. */
async function drained(store: ShardStore, signal: AbortSignal, failure: () => unknown): Promise<void> {
  for (;;) {
    const error = failure();
    if (error !== undefined) throw error;
    const shards = await store.status();
    if (shards.every(({ position, head, ticket }) => position === head && ticket === null)) return;
    await sleep(DRAIN_POLL_MS, signal);
    signal.throwIfAborted();
  }
}

async function summarise(
  sink: LineFileSink,
  records: number,
): Promise<Pick<EmbeddedSummary, 'records' | 'forecasts' | 'series' | 'digest'>> {
  const digest = new PointDigest();
  const series = new Set<string>();
  let forecasts = 0;
  for await (const points of sink.points())
    for (const { identity, fields } of points) {
      // What people said is none of the pipeline's results.
      if (identity.startsWith(ACKNOWLEDGEMENT_PREFIX)) continue;
      digest.add(identity, fields);
      if (!/^(forecast|sentiment|arrivals),/.test(identity)) continue;
      forecasts += 1;
      series.add(/series=((?:\\.|[^,\s\\])+)/.exec(identity)?.[1] ?? '');
    }
  return { records, forecasts, series: series.size, digest: digest.hex() };
}
