/** `npm run bench -- hops`: what a record costs at each hop of the standard job. */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled } from '@tideline/native';
import { runPipeline } from '../pipeline/run.ts';
import { VARIANTS, type Variant } from '../pipeline/workload.ts';
import { type CpuProfile, FORECASTER_HOPS, type Hop, INGEST_HOPS, REST, timeByHop } from './attribute.ts';
import { kafkajsFloor } from './kafkajs-floor.ts';

const RECORDS_DEFAULT = 300_000;

const USAGE = `Usage: npm run bench -- hops [--variant ${Object.keys(VARIANTS).join('|')}] [--records N] [--json]

Runs the standard job (see \`npm run bench -- pipeline --help\`) under the processor profiler and tells what a record costs at each hop, in microseconds of
processor time. The profiler's own cost is in it, and so is each process's start, divided by the records. The servers' rows are their whole processes; the
row 'kafkajs' is a process that consumes the same topic and does nothing else, from its first batch on, without a profiler.

  --variant NAME   uniform: 1,000 symbols (the default); hot: one; wide: 100,000
  --records N      ticks, ${RECORDS_DEFAULT} unless given
  --json           one JSON line last, on stdout, instead of the table
`;

interface HopCost {
  readonly process: string;
  readonly hop: string;
  readonly microsecondsARecord: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      variant: { type: 'string', default: 'uniform' },
      records: { type: 'string', default: String(RECORDS_DEFAULT) },
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
  const variant = values.variant as Variant;
  const costs = await measure(variant, records, say);
  process.stdout.write(values.json ? `${JSON.stringify({ variant, records, costs })}\n` : tableOf(costs));
  return 0;
}

async function measure(variant: Variant, records: number, say: (line: string) => void): Promise<HopCost[]> {
  const profile = await mkdtemp(join(tmpdir(), 'tideline-hops-'));
  try {
    for (const name of ['ingest', 'forecaster']) await mkdir(join(profile, name));
    const { cpuPerMillion, wholeCpu } = await runPipeline({ variant, records, kill: false, profile, say });
    const servers = (['kafka', 'redis', 'influx'] as const).map((name) => ({
      ...{ process: name, hop: 'the whole server', microsecondsARecord: cpuPerMillion[name] },
    }));
    say('Consuming the same by kafkajs alone ...');
    const floor = await kafkajsFloor(variant, records);
    return [
      ...(await costsOf({ name: 'ingest', hops: INGEST_HOPS, cpu: wholeCpu.ingest, profile, records })),
      ...(await costsOf({ name: 'forecaster', hops: FORECASTER_HOPS, cpu: wholeCpu.forecaster, profile, records })),
      { process: 'kafkajs', hop: 'consume, and nothing else', microsecondsARecord: floor },
      ...servers,
    ];
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
}

async function costsOf(of: {
  readonly name: string;
  readonly hops: readonly Hop[];
  /** Processor seconds of the process. */
  readonly cpu: number;
  readonly profile: string;
  readonly records: number;
}): Promise<HopCost[]> {
  const { name, hops, cpu, records } = of;
  const folder = join(of.profile, name);
  const [file] = await readdir(folder);
  if (file === undefined) throw new Error(`${name} left no processor profile in '${folder}'.`);
  const times = timeByHop(JSON.parse(await readFile(join(folder, file), 'utf8')) as CpuProfile, hops);
  // Samples are by the clock on the wall, in which a process also waits for a processor: they give the shares, the system the sum.
  const sampled = [...times.values()].reduce((sum, time) => sum + time, 0);
  const order = [...hops.map(({ hop }) => hop), REST];
  const place = (hop: string): number => (order.includes(hop) ? order.indexOf(hop) : order.length);
  return [...times]
    .sort(([a], [b]) => place(a) - place(b))
    .map(([hop, time]) => ({ process: name, hop, microsecondsARecord: ((time / sampled) * cpu * 1e6) / records }));
}

function tableOf(costs: readonly HopCost[]): string {
  const rows = costs.map((cost) => `| ${cost.process} | ${cost.hop} | ${cost.microsecondsARecord.toFixed(2)} |`);
  return `${['| process | hop | µs a record |', '|---|---|---|', ...rows].join('\n')}\n`;
}

process.exitCode = await main();
