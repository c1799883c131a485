/** `npm run bench -- engines`: every engine of Tideline beside its peers, one thread, on one machine in one run. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Arena, REFERENCE } from './arena.ts';
import { type BenchCase, latencyCases, throughputCases } from './cases.ts';
import { DOCS_FILE, writeDocs } from './docs.ts';
import { Limits, type Peaks } from './limits.ts';
import { describeMachine } from './machine.ts';
import { type Effort, type Measuring, measureLatency, measureThroughput } from './measure.ts';
import { CACHE_FOLDER, findContestants } from './peers.ts';
import { Progress } from './progress.ts';
import type { BenchResult, LatencyCase, MachineLimits, ThroughputCase } from './result.ts';
import { median } from './statistics.ts';
import { tablesOf } from './tables.ts';
import { judge } from './targets.ts';

const FULL: Effort = {
  rounds: 15,
  sliceMs: 25,
  latencyRounds: 20,
  latencySliceMs: 25,
  latencyCallsMin: 5,
  budgetMs: 120_000,
};
const QUICK: Effort = {
  rounds: 5,
  sliceMs: 10,
  latencyRounds: 5,
  latencySliceMs: 10,
  latencyCallsMin: 4,
  budgetMs: 15_000,
};
const READ_SIZES = { '32 KiB': 2 ** 15, '256 KiB': 2 ** 18, '4 MiB': 2 ** 22, '256 MiB': 2 ** 28 } as const;
const READ_MS = 50;
const STOPPED = 130;
const RESULT_FILE = join(CACHE_FOLDER, 'engines.json');

const USAGE = `Usage: npm run bench -- engines [--quick] [--json] [--write-docs] [--from FILE] [--only TEXT] [--without NAMES] [--install | --no-install]

  --quick         one shape, short slices: seconds instead of minutes; installs nothing
  --json          one JSON object on stdout instead of tables
  --write-docs    put the tables into docs/benchmarks.md
  --from FILE     measure nothing, take a result that was printed before
  --only TEXT     only cases whose name has TEXT in it, such as 'LSTM 16->64x2', '512' or 'LSTM_A'
  --without NAMES contestants to leave out, with commas between them
  --install, --no-install
                  fetch missing peers into .cache/bench (the default without --quick), or leave them out
TIDELINE_BENCH_PYTHON names a Python with torch and onnxruntime. The last result is kept in .cache/bench/engines.json.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      without: { type: 'string', default: '' },
      install: { type: 'boolean' },
      from: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const install = values.install ?? !values.quick;
  const { quick, only, from } = values;
  const result = from
    ? (JSON.parse(readFileSync(from, 'utf8')) as BenchResult)
    : await bench({ quick, only, without: values.without.split(','), install });
  if (!from) writeFileSync(RESULT_FILE, `${JSON.stringify(result, null, 1)}\n`);
  if (values['write-docs']) {
    writeDocs(result);
    process.stderr.write(`Written: ${DOCS_FILE}\n`);
  }
  const tables = `${tablesOf(result)}\n`;
  if (values.json) process.stderr.write(tables);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : tables);
  return [...result.throughput, ...result.latency].some(({ refused }) => refused.some(({ isWrong }) => isWrong))
    ? 1
    : 0;
}

interface Wanted {
  readonly quick: boolean;
  readonly only: string;
  readonly without: readonly string[];
  readonly install: boolean;
}

async function bench({ quick, only, without, install }: Wanted): Promise<BenchResult> {
  const start = performance.now();
  const effort = quick ? QUICK : FULL;
  const isWanted = ({ id, title }: BenchCase) => id.includes(only) || title.includes(only);
  const rates = throughputCases({ quick }).filter(isWanted);
  const latencies = latencyCases({ quick }).filter(isWanted);
  const progress = new Progress(process.stderr, rates.length + latencies.length);
  const say = (line: string): void => progress.say(line);
  const python = process.env.TIDELINE_BENCH_PYTHON ?? null;
  const { commands, absent } = findContestants({ install, python, say });
  mkdirSync(CACHE_FOLDER, { recursive: true });
  const folder = mkdtempSync(join(CACHE_FOLDER, 'work-'));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(STOPPED));
  try {
    await using limits = new Limits(CACHE_FOLDER);
    for (const reason of limits.reasons) say(reason);
    await using arena = await Arena.open(
      // The reference computes what the others' outputs are compared with.
      commands.filter(({ name }) => name === REFERENCE || !without.includes(name)),
      folder,
    );
    for (const { name, why } of [...absent, ...arena.absent]) say(`${name} is left out: ${why}`);
    const peaks: Peaks[] = [];
    const measuring: Measuring = { arena, limits, effort, onPeaks: (found) => peaks.push(found) };
    const throughput: ThroughputCase[] = [];
    for (const benchCase of rates) {
      progress.begin(benchCase.title);
      throughput.push(await measureThroughput(benchCase, measuring));
    }
    const latency: LatencyCase[] = [];
    for (const benchCase of latencies) {
      progress.begin(benchCase.title);
      latency.push(await measureLatency(benchCase, measuring));
    }
    const measured = await limitsOf(limits, peaks);
    progress.end();
    return {
      bench: 'engines',
      date: new Date().toISOString().slice(0, 10),
      isQuick: quick,
      seconds: (performance.now() - start) / 1e3,
      machine: describeMachine(),
      versions: arena.versions,
      absent: [...absent, ...arena.absent],
      rounds: effort.rounds,
      sliceMs: effort.sliceMs,
      limits: measured,
      ...{ throughput, latency },
      targets: judge(throughput),
    };
  } finally {
    clean();
  }
}

async function limitsOf(limits: Limits, peaks: readonly Peaks[]): Promise<MachineLimits> {
  const read: Record<string, number | null> = {};
  for (const [size, bytes] of Object.entries(READ_SIZES)) read[size] = await limits.readRate(bytes, READ_MS);
  const middle = (limit: keyof Peaks): number | null => {
    const found = peaks.flatMap((peak) => peak[limit] ?? []);
    return found.length === 0 ? null : median(found);
  };
  return { fma: middle('fma'), mulAdd: middle('mulAdd'), wasm: middle('wasm'), read };
}

process.exitCode = await main();
