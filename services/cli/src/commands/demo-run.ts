import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeedRecord } from '@tideline/adapters';
import { readRecordFile } from '@tideline/adapters';
import { createGateway, WEBHOOK_CONFIG } from '@tideline/gateway';
import type { EngineKind } from '@tideline/nn';
import type { LatePolicy } from '@tideline/pipeline';
import { ConfigurationError, createLogger, parseConfig, type ServiceSignals, sleep } from '@tideline/runtime';
import { CALL_POINTS_LIST, demoFeed, TOPIC_STREAMS, type TopicStream } from '@tideline/streams';
import { DEMO_RULES, type Environment, STATE_FOLDER } from '../addresses.ts';
import { openAlertDeliveries } from '../embedded/alert-deliveries.ts';
import { readAlertLines } from '../embedded/alert-lines.ts';
import { type EmbeddedSummary, startEmbedded } from '../embedded/embedded.ts';
import { parseMap, recordsOf } from '../field-map.ts';

export interface DemoOptions {
  readonly once?: true | undefined;
  readonly summary?: 'json' | 'text' | undefined;
  readonly file?: string | undefined;
  readonly streams: string;
  readonly topic?: string | undefined;
  readonly map?: readonly string[] | undefined;
  readonly series?: string | undefined;
  readonly rate: number;
  readonly host: string;
  readonly port: number;
  readonly state?: string | undefined;
  readonly models: string;
  readonly engine: EngineKind;
  readonly late: LatePolicy;
  readonly idleTtlMs?: number | null | undefined;
  readonly verify?: 'on' | 'off' | undefined;
  readonly rules?: string | undefined;
  readonly sentenceEncoder?: string | undefined;
  readonly callPoints?: string | undefined;
  readonly seed: number;
}

/** A live feed's batch: 20 a second at the default rate. */
const LIVE_BATCHES_PER_SECOND = 20;
const ONCE_BATCH_RECORDS = 5_000;

/** `tideline demo`: the embedded mode over a feed, with its page unless `once`. */
export async function demo(options: DemoOptions, signals: ServiceSignals, env: Environment = {}): Promise<void> {
  const config = parseConfig(WEBHOOK_CONFIG, env);
  const log = createLogger({ service: 'demo', level: 'info' });
  const streams = streamsOf(options);
  const folder = options.state ?? join(STATE_FOLDER, 'demo');
  if (options.state === undefined) await rm(folder, { recursive: true, force: true });
  const { open, replayable } = feedOf(options, streams);
  await using embedded = await startEmbedded({
    ...{ folder, open, replayable },
    modelsFolder: options.models,
    streams,
    engine: options.engine,
    late: options.late,
    // The page shows how good forecasts have been; a run for its digest or its speed is the plain job.
    isVerified: options.verify === undefined ? !options.once : options.verify === 'on',
    ...(options.idleTtlMs === undefined ? {} : { idleTtlMs: options.idleTtlMs }),
    batchRecordsMax: options.once
      ? ONCE_BATCH_RECORDS
      : Math.max(1, Math.round(options.rate / LIVE_BATCHES_PER_SECOND)),
    ...(options.once || !replayable ? {} : { pace: pacer(options.rate) }),
    // A run for its digest tells nobody.
    ...(options.once
      ? {}
      : {
          openAlerts: (deadLetters) =>
            openAlertDeliveries({ config, folder: join(folder, 'webhook'), deadLetters, log }),
        }),
    onNote: (message, fields) => log.info(fields, message),
    onWarning: (message, fields) => log.warn(fields, message),
  });
  if (options.once) {
    printSummary(await embedded.finished(signals.drain), options.summary ?? 'text');
    return;
  }
  const { host, port } = options;
  const { live: feed, keepAcknowledgement } = embedded;
  const history = () => readAlertLines(join(folder, 'points.lp'));
  const stats = () => embedded.stats();
  await using gateway = await createGateway({ feed, history, stats, keepAcknowledgement, host, port });
  process.stderr.write(`\n  Tideline is running. Its dashboard: ${gateway.url}\n  Stop it with Ctrl-C.\n\n`);
  const ended = embedded.finished(signals.drain).then(
    (summary) => printSummary(summary, options.summary ?? 'text'),
    (error: unknown) => {
      if (!signals.drain.aborted) throw error;
    },
  );
  await Promise.race([ended, untilAborted(signals.drain)]);
  // The feed is at its end: the page stays until somebody stops it.
  if (!signals.drain.aborted) process.stderr.write('  The feed is at its end; the dashboard stays open.\n');
  await untilAborted(signals.drain);
}

/** A run for its digest or its speed is the plain job; a page has something to show. */
function streamsOf(options: DemoOptions): readonly TopicStream[] {
  const {
    once = false,
    rules = once ? undefined : DEMO_RULES,
    sentenceEncoder: folder,
    callPoints = once ? 'none' : 'turns,figures,rollups,scores,summary',
  } = options;
  const points = CALL_POINTS_LIST.safeParse(callPoints);
  if (!points.success)
    throw new ConfigurationError(points.error.issues.map(({ message }) => `--call-points: ${message}`));
  return parseStreams(options.streams).map((entry) => ({
    ...entry,
    ...(rules === undefined ? {} : { rules }),
    ...(entry.stream === 'calls' ? { callPoints: points.data } : {}),
    ...(entry.stream === 'calls' && folder !== undefined ? { sentenceEncoderFolder: folder } : {}),
  }));
}

function parseStreams(text: string): readonly TopicStream[] {
  const result = TOPIC_STREAMS.safeParse(text);
  if (result.success) return result.data;
  throw new ConfigurationError(result.error.issues.map(({ message }) => `--streams: ${message}`));
}

function feedOf(
  options: DemoOptions,
  streams: readonly TopicStream[],
): {
  readonly open: () => AsyncIterable<FeedRecord> | Iterable<FeedRecord>;
  readonly replayable: boolean;
} {
  const { file } = options;
  const served = new Set(streams.map(({ topic }) => topic));
  if (file === undefined)
    return {
      open: () => servedRecords(demoFeed({ seed: options.seed, callVolume: served.has('call-volume') }), served),
      replayable: true,
    };
  const { topic = streams[0].topic } = options;
  const map = parseMap(options.map ?? []);
  const { series: key } = options;
  const rules = recordsOf(streams.find((entry) => entry.topic === topic)?.stream ?? topic);
  return {
    open: () => readRecordFile({ path: file, topic, map, ...rules, ...(key === undefined ? {} : { key }) }),
    replayable: file !== '-',
  };
}

function* servedRecords(records: Iterable<FeedRecord>, topics: ReadonlySet<string>): Generator<FeedRecord> {
  for (const record of records) if (topics.has(record.topic)) yield record;
}

function pacer(recordsPerSecond: number): (records: readonly FeedRecord[], signal: AbortSignal) => Promise<void> {
  const start = performance.now();
  let sent = 0;
  return async (records, signal) => {
    const due = start + (sent / recordsPerSecond) * 1000;
    sent += records.length;
    const waitMs = due - performance.now();
    if (waitMs > 0) await sleep(waitMs, signal);
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function printSummary(summary: EmbeddedSummary, form: 'json' | 'text'): void {
  if (form === 'json') {
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  const { records, forecasts, series, late, deadLetters, seconds, engine, digest } = summary;
  process.stdout.write(
    `${records} records of ${series} series gave ${forecasts} forecasts in ${seconds} s on engine ${engine}; ` +
      `${late} late, ${deadLetters} dead letters.\nDigest ${digest}\n`,
  );
}
