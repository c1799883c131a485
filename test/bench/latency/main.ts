/** `npm run bench -- latency`: from a tick to InfluxDB's acknowledgement, through Kafka, Redis and BullMQ. */
import { parseArgs } from 'node:util';
import { ensureInstalled } from '@tideline/native';
import { type LatencyResult, runLatency } from './run.ts';

const USAGE = `Usage: npm run bench -- latency [--rate N] [--seconds N] [--warm N] [--json]

Sends JSON ticks of 1,000 symbols at a steady rate and measures each from the time that it was due to InfluxDB's acknowledgement of its forecast, through
Kafka, one ingest, Redis, BullMQ and one forecaster. Servers of its own on 127.0.0.1.

  --rate N      ticks a second (2000)
  --seconds N   seconds that are measured (20)
  --warm N      seconds before them (10)
  --json        one JSON line last, on stdout, instead of the table
`;

/** A symbol has one tick a millisecond at most. */
const RATE_MAX = 100_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rate: { type: 'string', default: '2000' },
      seconds: { type: 'string', default: '20' },
      warm: { type: 'string', default: '10' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [rate, seconds, warmSeconds] = [values.rate, values.seconds, values.warm].map(Number);
  const isWhole = [rate, seconds, warmSeconds].every((value) => Number.isInteger(value) && value >= 1);
  if (values.help || !isWhole || rate > RATE_MAX) {
    (values.help ? process.stdout : process.stderr).write(USAGE);
    return values.help ? 0 : 64;
  }
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await ensureInstalled({ onProgress: say });
  const result = await runLatency({ rate, seconds, warmSeconds, say });
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : tableOf(result));
  return result.missing === 0 ? 0 : 1;
}

function tableOf({ rate, records, missing, latencyMs, coreShare }: LatencyResult): string {
  const quantiles = Object.entries(latencyMs).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  const shares = Object.entries(coreShare).map(([name, share]) => `${name} ${Math.round(share * 100)} %`);
  return [
    `${rate} ticks a second, ${records} measured, ${missing} missing`,
    `  tick to InfluxDB's acknowledgement, ms: ${quantiles.join(', ')}`,
    `  of one core: ${shares.join(', ')}`,
    '',
  ].join('\n');
}

process.exitCode = await main();
