/** `npm run bench -- pipeline`: the standard job from Kafka to InfluxDB, with one ingest and one forecaster. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled } from '@tideline/native';
import { compareWithBaseline, type Regression, writeBaseline } from './regression.ts';
import { type RunResult, runPipeline } from './run.ts';
import { VARIANTS, type Variant } from './workload.ts';

const RECORDS_DEFAULT = 200_000;

const USAGE = `Usage: npm run bench -- pipeline [--variant ${Object.keys(VARIANTS).join('|')}] [--records N] [--kill] [--profile FOLDER]
  [--check] [--write-baseline] [--json]

Fills a topic of 4 partitions with JSON ticks, then measures one ingest and one forecaster from their being ready to the last point in InfluxDB
(LSTM 4 -> 64 x 2 -> 3, each symbol with its own state), and compares every point with a straight pass. Servers of its own on 127.0.0.1.

  --variant NAME    uniform: 1,000 symbols (the default); hot: one; wide: 100,000
  --records N       ticks, ${RECORDS_DEFAULT} unless given
  --kill            SIGKILL of both services at two fifths
  --profile FOLDER  keep a processor profile of each service there (*.cpuprofile)
  --check           fail where the services take over a quarter more processor time than the committed baseline, both in units of a calibration loop
  --write-baseline  make this run the baseline (test/bench/pipeline/baseline.json)
  --json            one JSON line last, on stdout, instead of the table
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      variant: { type: 'string', default: 'uniform' },
      records: { type: 'string', default: String(RECORDS_DEFAULT) },
      kill: { type: 'boolean', default: false },
      profile: { type: 'string' },
      check: { type: 'boolean', default: false },
      'write-baseline': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const records = Number(values.records);
  if (values.help || !Object.hasOwn(VARIANTS, values.variant) || !Number.isInteger(records) || records < 1_000) {
    (values.help ? process.stdout : process.stderr).write(USAGE);
    return values.help ? 0 : 64;
  }
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await ensureInstalled({ onProgress: say });
  const profile = values.profile === undefined ? null : resolve(values.profile);
  if (profile !== null) mkdirSync(profile, { recursive: true });
  const result = await runPipeline({
    ...{ variant: values.variant as Variant, records, kill: values.kill, profile, say },
  });
  if (values['write-baseline']) await writeBaseline(result);
  const regression = await compareWithBaseline(result);
  process.stdout.write(values.json ? `${JSON.stringify({ ...result, regression })}\n` : tableOf(result, regression));
  if (values.check && regression.baseline === null)
    say(`There is no baseline of '${result.variant}' to check against.`);
  const fails = values.check && (regression.hasRegressed || regression.baseline === null);
  return result.missing + result.wrong === 0 && !fails ? 0 : 1;
}

function tableOf(result: RunResult, { loops, baseline, ratio }: Regression): string {
  const { variant, records, seconds, recordsPerSecond, cpuPerMillion, peakMb, missing, wrong } = result;
  const cpu = Object.entries(cpuPerMillion).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  const ours = cpuPerMillion.ingest + cpuPerMillion.forecaster;
  return [
    `${variant}, ${records} records${result.killed ? ', both services killed at two fifths' : ''}`,
    `  ${seconds.toFixed(2)} s, ${Math.round(recordsPerSecond)} records/s; missing ${missing}, wrong ${wrong}`,
    `  processor seconds a million records: ours ${ours.toFixed(1)} (${cpu.join(', ')})`,
    `  in calibration loops: ${loops.toFixed(1)} a million records${ratio === null ? '' : `, ${ratio.toFixed(2)} times the baseline's ${baseline}`}`,
    `  memory at most: ingest ${Math.round(peakMb.ingest)} MB, forecaster ${Math.round(peakMb.forecaster)} MB`,
    `  Redis: ${Math.round(result.redisBytesASeries)} bytes a series`,
    '',
  ].join('\n');
}

process.exitCode = await main();
