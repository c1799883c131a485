import { InvalidArgumentError } from '@commander-js/extra-typings';
import { createTopicProducer, type FeedRecord, readRecordFile } from '@tideline/adapters';
import { type ServiceSignals, sleep } from '@tideline/runtime';
import { SingleBar } from 'cli-progress';
import { withAddresses } from '../addresses.ts';
import { parseMap, recordsOf } from '../field-map.ts';
import type { Program } from '../program.ts';

interface ReplayOptions {
  readonly topic: string;
  readonly map?: readonly string[] | undefined;
  readonly stream?: string | undefined;
  readonly key?: string | undefined;
  readonly speed: number;
}

const BATCH_RECORDS_MAX = 2_000;
const PACE_MS = 50;

export function addReplay(program: Program): void {
  program
    .command('replay')
    .description('send the records of a CSV or JSON-lines file (also .gz) to a Kafka topic, in their order')
    .argument('<file>', "the file, or '-' for JSON lines on standard input")
    .requiredOption('--topic <topic>', 'topic to send to')
    .option(
      '--map <field=column...>',
      'field of the contract = column of the file; ts=ts_us and ts=ts_ns become tsUs and tsNs',
    )
    .option('--stream <file>', 'the file that declares the stream of the topic: its key is the Kafka key')
    .option('--key <field>', "field that is the Kafka key (default: the topic's)")
    .option(
      '--speed <factor>',
      "speed against the records' own times; 'max' does not wait",
      parseSpeed,
      Number.POSITIVE_INFINITY,
    )
    .action((file, options) => program.run('replay', (signals) => replay({ program, file, options, signals })));
}

function parseSpeed(text: string): number {
  const speed = text === 'max' ? Number.POSITIVE_INFINITY : Number(text);
  if (!(speed > 0)) throw new InvalidArgumentError("must be a number above 0, or 'max'.");
  return speed;
}

async function replay(work: {
  readonly program: Program;
  readonly file: string;
  readonly options: ReplayOptions;
  readonly signals: ServiceSignals;
}): Promise<void> {
  const { program, file, options, signals } = work;
  const env = await withAddresses(program.env);
  const brokers = (env.TIDELINE_KAFKA_BROKERS ?? '').split(',');
  const map = parseMap(options.map ?? []);
  const records = readRecordFile({
    path: file,
    topic: options.topic,
    map,
    ...recordsOf(options.stream ?? options.topic),
    ...(options.key === undefined ? {} : { keyField: options.key }),
  });
  await using producer = await createTopicProducer({ brokers, topic: options.topic });
  const bar = new SingleBar({ format: 'replay {value} records | {duration_formatted}', stream: process.stderr });
  const isTerminal = process.stderr.isTTY === true;
  if (isTerminal) bar.start(0, 0);
  let sent = 0;
  const pace = pacer(options.speed, signals.drain);
  for await (const batch of batches(records, Number.isFinite(options.speed) ? options.speed : null)) {
    await pace(batch[0].timestampMs);
    if (signals.drain.aborted) break;
    await producer.send(batch);
    sent += batch.length;
    if (isTerminal) bar.update(sent);
  }
  if (isTerminal) bar.stop();
  process.stdout.write(`Sent ${sent} records to topic ${options.topic}.\n`);
}

/** Full batches; at a speed, what is due within PACE_MS of real time: later records wait for their own time. */
async function* batches(records: AsyncIterable<FeedRecord>, speed: number | null): AsyncGenerator<FeedRecord[]> {
  const spanMs = speed === null ? Number.POSITIVE_INFINITY : PACE_MS * speed;
  let batch: FeedRecord[] = [];
  for await (const record of records) {
    const isLater = batch.length > 0 && record.timestampMs - batch[0].timestampMs >= spanMs;
    if (batch.length >= BATCH_RECORDS_MAX || isLater) {
      yield batch;
      batch = [];
    }
    batch.push(record);
  }
  if (batch.length > 0) yield batch;
}

function pacer(speed: number, signal: AbortSignal): (eventMs: number) => Promise<void> {
  const start = performance.now();
  let first: number | undefined;
  return async (eventMs) => {
    if (!Number.isFinite(speed)) return;
    first ??= eventMs;
    const waitMs = start + (eventMs - first) / speed - performance.now();
    if (waitMs > 0) await sleep(waitMs, signal);
  };
}
