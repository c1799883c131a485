import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { FeedRecord } from '@tideline/adapters';
import { readRecordFile } from '@tideline/adapters';
import { createGateway } from '@tideline/gateway';
import { ENGINE_KINDS, type EngineKind } from '@tideline/nn';
import { LATE_POLICIES, type LatePolicy } from '@tideline/pipeline';
import { createLogger, type ServiceSignals, sleep } from '@tideline/runtime';
import { demoFeed, TOPIC_STREAMS, type TopicStream } from '@tideline/streams';
import { MODELS_FOLDER, STATE_FOLDER } from '../addresses.ts';
import { type EmbeddedSummary, startEmbedded } from '../embedded/embedded.ts';
import { parseMap, recordsOf } from '../field-map.ts';
import type { Program } from '../program.ts';

interface DemoOptions {
  readonly once?: true | undefined;
  readonly summary?: 'json' | 'text' | undefined;
  readonly file?: string | undefined;
  readonly streams: readonly TopicStream[];
  readonly topic?: string | undefined;
  readonly map?: readonly string[] | undefined;
  readonly rate: number;
  readonly host: string;
  readonly port: number;
  readonly state?: string | undefined;
  readonly models: string;
  readonly engine: EngineKind;
  readonly late: LatePolicy;
  readonly idleTtlMs?: number | null | undefined;
  readonly seed: number;
}

/** A live feed's batch: 20 a second at the default rate. */
const LIVE_BATCHES_PER_SECOND = 20;
const ONCE_BATCH_RECORDS = 5_000;

export function addDemo(program: Program): void {
  program
    .command('demo')
    .description(
      'run the whole pipeline in this process, with no server: real prices replayed as a live feed, generated ticks and calls',
    )
    .option('--once', 'run through the data as fast as possible, then stop')
    .addOption(new Option('--summary <form>', 'print a summary on the last line').choices(['json', 'text'] as const))
    .option(
      '--file <path>',
      "read records from a CSV or JSON-lines file (also .gz), or '-' for JSON lines on standard input",
    )
    .option(
      '--streams <list>',
      "streams to serve: names, or paths of files that declare one; 'topic=stream' where the topic has another name",
      parseStreams,
      parseStreams('ticks,calls'),
    )
    .option('--topic <topic>', 'topic of the records of --file (default: the first of --streams)')
    .option('--map <field=column...>', 'field of the contract = column of the file')
    .option('--rate <records>', 'records per second of the live feed', Number, 200)
    .option('--host <address>', 'address of the page', '127.0.0.1')
    .option('--port <port>', 'port of the page (0: any)', Number, 8080)
    .option('--state <folder>', 'keep state there and go on from it; without it each run starts afresh')
    .option('--models <folder>', 'folder of the models', MODELS_FOLDER)
    .addOption(
      new Option('--engine <engine>', 'engine of the models').choices(ENGINE_KINDS).default('auto' as EngineKind),
    )
    .addOption(
      new Option('--late <policy>', 'what happens to late and repeated records')
        .choices(LATE_POLICIES)
        .default('apply' as LatePolicy),
    )
    .option('--idle-ttl-ms <ms>', "a series silent for longer, in event time, starts anew; 'off': never", parseIdle)
    .option('--seed <number>', 'seed of the generated data', Number, 1)
    .action((options) => program.run('demo', (signals) => demo(options, signals)));
}

function parseStreams(text: string): readonly TopicStream[] {
  const result = TOPIC_STREAMS.safeParse(text);
  if (result.success) return result.data;
  throw new InvalidArgumentError(result.error.issues.map(({ message }) => message).join('\n'));
}

function parseIdle(text: string): number | null {
  if (text === 'off') return null;
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError("must be a whole number of milliseconds, or 'off'.");
  return Number(text);
}

async function demo(options: DemoOptions, signals: ServiceSignals): Promise<void> {
  const log = createLogger({ service: 'demo', level: 'info' });
  const folder = options.state ?? join(STATE_FOLDER, 'demo');
  if (options.state === undefined) await rm(folder, { recursive: true, force: true });
  const { open, replayable } = feedOf(options);
  await using embedded = await startEmbedded({
    ...{ folder, open, replayable },
    modelsFolder: options.models,
    streams: options.streams,
    engine: options.engine,
    late: options.late,
    ...(options.idleTtlMs === undefined ? {} : { idleTtlMs: options.idleTtlMs }),
    batchRecordsMax: options.once
      ? ONCE_BATCH_RECORDS
      : Math.max(1, Math.round(options.rate / LIVE_BATCHES_PER_SECOND)),
    ...(options.once || !replayable ? {} : { pace: pacer(options.rate) }),
    onNote: (message, fields) => log.info(fields, message),
    onWarning: (message, fields) => log.warn(fields, message),
  });
  if (options.once) {
    printSummary(await embedded.finished(signals.drain), options.summary ?? 'text');
    return;
  }
  const { host, port } = options;
  await using gateway = await createGateway({ feed: embedded.live, stats: () => embedded.stats(), host, port });
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

function feedOf(options: DemoOptions): {
  readonly open: () => AsyncIterable<FeedRecord> | Iterable<FeedRecord>;
  readonly replayable: boolean;
} {
  const { file, streams } = options;
  const served = new Set(streams.map(({ topic }) => topic));
  if (file === undefined)
    return { open: () => servedRecords(demoFeed({ seed: options.seed }), served), replayable: true };
  const { topic = streams[0].topic } = options;
  const map = parseMap(options.map ?? []);
  const rules = recordsOf(streams.find((entry) => entry.topic === topic)?.stream ?? topic);
  return { open: () => readRecordFile({ path: file, topic, map, ...rules }), replayable: file !== '-' };
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
