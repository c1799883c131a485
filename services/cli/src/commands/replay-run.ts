import { createTopicProducer, type FeedRecord, readRecordFile } from '@tideline/adapters';
import { type ServiceSignals, sleep } from '@tideline/runtime';
import { SingleBar } from 'cli-progress';
import { type Environment, withAddresses } from '../addresses.ts';
import { parseMap, recordsOf } from '../field-map.ts';

export interface ReplayOptions {
  readonly topic: string;
  readonly map?: readonly string[] | undefined;
  readonly stream?: string | undefined;
  readonly series?: string | undefined;
  readonly key?: string | undefined;
  readonly speed: number;
}

const BATCH_RECORDS_MAX = 2_000;
const PACE_MS = 50;

/** `tideline replay`: a file's records to a Kafka topic, at their own times or as fast as it goes. */
export async function replay(work: {
  readonly environment: Environment;
  readonly file: string;
  readonly options: ReplayOptions;
  readonly signals: ServiceSignals;
}): Promise<void> {
  const { environment, file, options, signals } = work;
  const env = await withAddresses(environment);
  const brokers = (env.TIDELINE_KAFKA_BROKERS ?? '').split(',');
  const map = parseMap(options.map ?? []);
  const records = readRecordFile({
    path: file,
    topic: options.topic,
    map,
    ...recordsOf(options.stream ?? options.topic),
    ...(options.key === undefined ? {} : { keyField: options.key }),
    ...(options.series === undefined ? {} : { key: options.series }),
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
