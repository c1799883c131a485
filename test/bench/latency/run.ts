/** Ticks at a steady rate, open loop: each has a scheduled time, from which its latency counts, whatever held its sending up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createTopicProducer, ensureTopics } from '@tideline/adapters';
import { eventually } from '../../stack/index.ts';
import { openJob, PARTITIONS, startServices, TOPIC } from '../pipeline/job.ts';
import { cpuSeconds } from '../pipeline/processes.ts';
import { startInfluxStamps } from './influx-stamps.ts';

export interface LatencyOptions {
  /** Ticks a second. */
  readonly rate: number;
  /** Seconds that are measured, and those before them that are not. */
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly say: (line: string) => void;
}

export interface LatencyResult {
  readonly rate: number;
  readonly records: number;
  readonly missing: number;
  /** From the tick's scheduled time to InfluxDB's acknowledgement of its point. */
  readonly latencyMs: Readonly<Record<'p50' | 'p90' | 'p99' | 'max', number>>;
  /** Processor time of each process while measured, share of one core. */
  readonly coreShare: Readonly<Record<string, number>>;
}

const SYMBOLS = 1_000;
const SETTLE_MS = 20_000;

export async function runLatency(options: LatencyOptions): Promise<LatencyResult> {
  const { rate, seconds, warmSeconds, say } = options;
  say('Starting Kafka, Redis and InfluxDB ...');
  await using job = await openJob();
  await using stamps = await startInfluxStamps(job.env.TIDELINE_INFLUX_URL);
  const brokers = [job.env.TIDELINE_KAFKA_BROKERS];
  await ensureTopics({ brokers, topics: [{ topic: TOPIC, partitions: PARTITIONS }] });
  const services = await startServices({ ...job.env, TIDELINE_INFLUX_URL: stamps.url });
  await using producer = await createTopicProducer({ brokers, topic: TOPIC });
  say(`${rate} ticks a second for ${warmSeconds} + ${seconds} s ...`);
  const pids = { ...job.pids, ingest: services.ingest.pid, forecaster: services.forecaster.pid };
  const usage = () => Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)] as const);
  const count = rate * (warmSeconds + seconds);
  const warm = rate * warmSeconds;
  const startMs = performance.now() + 200;
  const wallMs = Math.round(performance.timeOrigin + startMs);
  let before = usage();
  let sent = 0;
  while (sent < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startMs) * rate) / 1e3) + 1);
    if (due <= sent) {
      await sleep(1);
      continue;
    }
    const batch = [];
    for (let i = sent; i < due; i += 1) batch.push(tickAt(i, rate, wallMs));
    if (sent < warm && due >= warm) before = usage();
    sent = due;
    await producer.send(batch);
  }
  const after = usage();
  const latencies: number[] = [];
  const collect = (): boolean => {
    const acknowledged = stamps.acknowledged();
    latencies.length = 0;
    for (let i = warm; i < count; i += 1) {
      const at = acknowledged.get(nameAt(i, rate, wallMs));
      if (at !== undefined) latencies.push(at - (startMs + (i * 1e3) / rate));
    }
    return latencies.length === count - warm;
  };
  // What is missing then is told, not thrown.
  await eventually('every point is acknowledged', collect, SETTLE_MS).catch(() => undefined);
  await Promise.all([services.ingest.stop(), services.forecaster.stop()]);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))];
  return {
    rate,
    records: count - warm,
    missing: count - warm - latencies.length,
    latencyMs: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) },
    coreShare: Object.fromEntries(after.map(([name, cpu], i) => [name, (cpu - before[i][1]) / seconds])),
  };
}

/** Names a tick: no symbol has two in one millisecond. */
function nameAt(i: number, rate: number, wallMs: number): string {
  return `${symbolAt(i)} ${wallMs + Math.floor((i * 1e3) / rate)}`;
}

function symbolAt(i: number): string {
  return `S${String(i % SYMBOLS).padStart(4, '0')}`;
}

function tickAt(i: number, rate: number, wallMs: number) {
  const key = symbolAt(i);
  const timestampMs = wallMs + Math.floor((i * 1e3) / rate);
  const cents = 5_000 + ((i * 7_919) % 45_000);
  const rest = `"size":${1 + ((i * 31) % 999)},"side":"B","venue":"XLON","seq":${1_000_000 + i}`;
  return {
    key,
    value: `{"symbol":"${key}","ts":${timestampMs},"price":${(cents / 100).toFixed(2)},${rest}}`,
    timestampMs,
  };
}
