/** `npm run bench -- calls`: from an utterance in Kafka to its alert in Kafka, with many calls under way. */
import { parseArgs } from 'node:util';
import { ensureInstalled } from '@tideline/native';
import { type CallsResult, runCalls } from './run.ts';

const USAGE = `Usage: npm run bench -- calls [--calls N] [--every N] [--seconds N] [--warm N] [--json]

Many calls under way at once, each with an utterance every few seconds; a quarter of the utterances meet a rule. Measures each alert from Kafka's stamp of the
utterance to Kafka's stamp of the alert in the topic of alerts, through one ingest, Redis, BullMQ, one forecaster (sentiment, roll-ups and texts to
InfluxDB first). Servers of its own on 127.0.0.1. The target: p99 below 150 ms on 2 cores.

  --calls N     calls at once (2000)
  --every N     seconds between two utterances of a call (5)
  --seconds N   seconds that are measured (40)
  --warm N      seconds before them (20)
  --json        one JSON line last, on stdout, instead of the table
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '2000' },
      every: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '40' },
      warm: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [calls, every, seconds, warmSeconds] = [values.calls, values.every, values.seconds, values.warm].map(Number);
  const isWhole = [calls, every, seconds, warmSeconds].every((value) => Number.isInteger(value) && value >= 1);
  if (values.help || !isWhole) {
    (values.help ? process.stdout : process.stderr).write(USAGE);
    return values.help ? 0 : 64;
  }
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await ensureInstalled({ onProgress: say });
  const result = await runCalls({ calls, everyMs: every * 1_000, seconds, warmSeconds, say });
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : tableOf(result));
  return result.missing === 0 ? 0 : 1;
}

function tableOf(result: CallsResult): string {
  const { calls, utterancesPerSecond, alerts, missing, latencyMs, coreShare, loadBefore } = result;
  const quantiles = Object.entries(latencyMs).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  const shares = Object.entries(coreShare).map(([name, share]) => `${name} ${Math.round(share * 100)} %`);
  return [
    `${calls} calls, ${utterancesPerSecond.toFixed(0)} utterances a second, ${alerts} alerts measured, ${missing} missing`,
    `  utterance in Kafka to alert in Kafka, ms: ${quantiles.join(', ')}`,
    `  of one core: ${shares.join(', ')}; load of the machine before: ${loadBefore.toFixed(1)}`,
    '',
  ].join('\n');
}

process.exitCode = await main();
