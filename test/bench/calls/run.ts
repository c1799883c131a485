/**
 * Utterances at a steady rate, open loop, through Kafka, ingest, Redis, BullMQ and a forecaster. Kafka stamps both topics when it has appended a message, so
 * an alert's latency is the difference of two stamps of one clock: what a consumer or a producer takes is not in it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTopicProducer, ensureTopics } from '@tideline/adapters';
import { startStack } from '@tideline/native';
import { type RawRecord, type Shard, shardName } from '@tideline/pipeline';
import type { Alert } from '@tideline/streams';
import { readTopic } from '../../e2e/offline-pass.ts';
import { ROOT } from '../../e2e/services.ts';
import { startServices } from '../pipeline/job.ts';
import { cpuSeconds } from '../pipeline/processes.ts';
import { alerts, type CallLoad, rulesText, startedRecords, utterance } from './call-load.ts';

export interface CallsOptions extends CallLoad {
  /** Seconds that are measured, and those before them that are not. */
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly say: (line: string) => void;
}

export interface CallsResult {
  readonly calls: number;
  readonly utterancesPerSecond: number;
  /** Alerts that were measured, and those of them that did not come. */
  readonly alerts: number;
  readonly missing: number;
  /** From Kafka's stamp of the utterance to Kafka's stamp of its alert. */
  readonly latencyMs: Readonly<Record<'p50' | 'p90' | 'p99' | 'max', number>>;
  /** Processor time of each process while measured, share of one core. */
  readonly coreShare: Readonly<Record<string, number>>;
  /** Of the machine, over the minute before the run. */
  readonly loadBefore: number;
}

const TOPIC = 'calls';
const ALERT_TOPIC = 'alerts';
const PARTITIONS = 4;
/** Alerts that do not come then are missing. */
const SETTLE_MS = 10_000;
const STAMPED = { 'message.timestamp.type': 'LogAppendTime' };

export async function runCalls(options: CallsOptions): Promise<CallsResult> {
  const { calls, everyMs, seconds, warmSeconds, say } = options;
  const [loadBefore] = loadavg();
  const folder = await mkdtemp(join(tmpdir(), 'tideline-calls-'));
  try {
    say('Starting Kafka, Redis and InfluxDB ...');
    await using stack = await startStack({ folder: join(folder, 'servers') });
    const { kafka = '', redis = '', influx = '' } = stack.addresses;
    const rules = join(folder, 'rules.yaml');
    await writeFile(rules, rulesText());
    const brokers = [kafka];
    const topics = [
      { topic: TOPIC, partitions: PARTITIONS, config: STAMPED },
      { topic: ALERT_TOPIC, partitions: 1, config: STAMPED },
    ];
    await ensureTopics({ brokers, topics });
    const services = await startServices({
      TIDELINE_KAFKA_BROKERS: kafka,
      TIDELINE_REDIS_URL: redis,
      TIDELINE_INFLUX_URL: influx,
      TIDELINE_STREAMS: TOPIC,
      TIDELINE_RULES: rules,
      TIDELINE_ALERT_TOPIC: ALERT_TOPIC,
      TIDELINE_MODELS: join(ROOT, 'models'),
    });
    const processes = [...stack.servers.map(({ name, pid }) => [name, pid] as const)];
    const pids = [...processes, ['ingest', services.ingest.pid], ['forecaster', services.forecaster.pid]] as const;
    const usage = (): number[] => pids.map(([, pid]) => cpuSeconds(pid));
    say(`${calls} calls, an utterance every ${everyMs / 1_000} s each, for ${warmSeconds} + ${seconds} s ...`);
    const { before, after, beginMs } = await send({ ...options, brokers, usage });
    await sleep(SETTLE_MS);
    await Promise.all([services.ingest.stop(), services.forecaster.stop()]);
    const utterances = Math.floor(((warmSeconds + seconds) * 1e3 * calls) / everyMs);
    const found = await latenciesOf({ ...options, kafka, utterances, beginMs });
    const at = (share: number): number => found.ms[Math.min(found.ms.length - 1, Math.floor(share * found.ms.length))];
    return {
      ...{ calls, loadBefore, alerts: found.expected, missing: found.expected - found.ms.length },
      utterancesPerSecond: (calls * 1e3) / everyMs,
      latencyMs: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) },
      coreShare: Object.fromEntries(pids.map(([name], i) => [name, (after[i] - before[i]) / seconds])),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Sends each utterance when it is due. Resolves with the processes' use over the measured seconds, and the time of the first utterance. */
async function send(
  load: CallsOptions & { readonly brokers: readonly string[]; readonly usage: () => number[] },
): Promise<{ readonly before: readonly number[]; readonly after: readonly number[]; readonly beginMs: number }> {
  const { calls, everyMs, seconds, warmSeconds, brokers, usage } = load;
  await using producer = await createTopicProducer({ brokers, topic: TOPIC });
  await producer.send(startedRecords(load, Date.now()));
  const count = Math.floor(((warmSeconds + seconds) * 1e3 * calls) / everyMs);
  const warm = Math.floor((warmSeconds * 1e3 * calls) / everyMs);
  const startMs = performance.now() + 500;
  const beginMs = Math.round(performance.timeOrigin + startMs);
  let before = usage();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - startMs) * calls) / everyMs) + 1);
    if (due <= sent) {
      await sleep(1);
      continue;
    }
    if (sent < warm && due >= warm) before = usage();
    const batch = Array.from({ length: due - sent }, (_, i) => utterance(load, sent + i, beginMs));
    sent = due;
    await producer.send(batch);
  }
  return { before, after: usage(), beginMs };
}

/** Of the measured utterances that make an alert, ascending; those whose alert did not come are left out. */
async function latenciesOf(
  run: CallsOptions & { readonly kafka: string; readonly utterances: number; readonly beginMs: number },
): Promise<{ readonly ms: readonly number[]; readonly expected: number }> {
  const { calls, everyMs, warmSeconds, kafka, utterances, beginMs } = run;
  const warm = Math.floor((warmSeconds * 1e3 * calls) / everyMs);
  let [all, expected] = [0, 0];
  for (let n = 0; n < utterances; n += 1) {
    if (!alerts(run, n)) continue;
    all += 1;
    if (n >= warm) expected += 1;
  }
  const stamps = new Map<string, number>();
  for (const [shard, records] of await readTopic({ brokers: kafka, topic: TOPIC, records: calls + utterances }))
    for (const record of records) stamps.set(placeOf(shard, record), record.timestampMs);
  const firstMs = new Map<string, number>();
  for (const records of (await readTopic({ brokers: kafka, topic: ALERT_TOPIC, records: all })).values())
    for (const { value, timestampMs } of records) {
      const { partition, offset, timeNs } = JSON.parse(String(value)) as Alert;
      const place = placeOf({ topic: TOPIC, partition }, { offset });
      const sentMs = Number(BigInt(timeNs) / 1_000_000n);
      if (sentMs < beginMs + warmSeconds * 1e3 || firstMs.has(place)) continue;
      firstMs.set(place, timestampMs - (stamps.get(place) ?? Number.NaN));
    }
  return { ms: [...firstMs.values()].sort((a, b) => a - b), expected };
}

function placeOf(shard: Shard, { offset }: Pick<RawRecord, 'offset'>): string {
  return `${shardName(shard)} ${offset}`;
}
