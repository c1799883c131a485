/** Ticks at a steady rate, open loop: each has a scheduled time, from which its latency counts, whatever held its sending up. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureTopics } from '@tideline/adapters';
import { eventually } from '../../stack/index.ts';
import { openJob, PARTITIONS, startServices, TOPIC } from '../pipeline/job.ts';
import { cpuSeconds } from '../pipeline/processes.ts';
import { startInfluxStamps } from './influx-stamps.ts';
import { dueMs, tickName } from './ticks.ts';

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

const SETTLE_MS = 20_000;
/** The producer connects meanwhile. */
const START_AFTER_MS = 2_000;
const PRODUCER = new URL('./producer.js', import.meta.url);

export async function runLatency(options: LatencyOptions): Promise<LatencyResult> {
  const { rate, seconds, warmSeconds, say } = options;
  say('Starting Kafka, Redis and InfluxDB ...');
  await using job = await openJob();
  await using stamps = await startInfluxStamps(job.env.TIDELINE_INFLUX_URL);
  const brokers = [job.env.TIDELINE_KAFKA_BROKERS];
  await ensureTopics({ brokers, topics: [{ topic: TOPIC, partitions: PARTITIONS }] });
  const services = await startServices({ ...job.env, TIDELINE_INFLUX_URL: stamps.url });
  const pids = { ...job.pids, ingest: services.ingest.pid, forecaster: services.forecaster.pid };
  const usage = () => Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)] as const);
  const count = rate * (warmSeconds + seconds);
  const warm = rate * warmSeconds;
  say(`${rate} ticks a second for ${warmSeconds} + ${seconds} s ...`);
  const plan = { rate, startMs: Math.round(performance.timeOrigin + performance.now()) + START_AFTER_MS };
  const producer = fork(PRODUCER, [brokers.join(','), TOPIC, String(rate), String(plan.startMs), String(count)]);
  const ended = once(producer, 'exit');
  await sleep(START_AFTER_MS + warmSeconds * 1e3);
  const before = usage();
  const [code] = await ended;
  const after = usage();
  if (code !== 0) throw new Error(`The producer ended with ${code}.`);
  const latencies: number[] = [];
  const collect = (): boolean => {
    const acknowledged = stamps.acknowledged();
    latencies.length = 0;
    for (let i = warm; i < count; i += 1) {
      const at = acknowledged.get(tickName(plan, i));
      if (at !== undefined) latencies.push(performance.timeOrigin + at - dueMs(plan, i));
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
