/** `npm run chaos`: every fault on real servers, then kills in a row. Plain lines on stderr; one JSON line of figures last on stdout. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { mulberry32 } from '@tideline/streams';
import { FAULTS, type Fault, killsInARow, longOutages } from './faults.ts';
import { type RunResult, runFault } from './run-fault.ts';
import { startWorld, type World } from './world.ts';

/** A kill costs one failover and one start: the feed must outlast it. */
const TICKS_PER_KILL = 8_000;
const KILLS_SLICE_MS = 200;
/** What the feed sends in the time of an outage, and a little beyond. */
const TICKS_PER_OUTAGE_S = 2_500;

const program = new Command('chaos')
  .description('Runs the pipeline on real servers under every fault and compares InfluxDB with an offline pass.')
  .option('--kills <n>', 'forecasters killed in a row after the single faults', wholeNumber, 20)
  .option('--outage-s <n>', 'seconds of the long outages under load, 0 for none', wholeNumber, 60)
  .option('--ticks <n>', 'records of a run', wholeNumber, 20_000)
  .option('--seed <n>', 'decides when each fault comes', wholeNumber, 1)
  .option('--only <text>', 'faults whose name holds the text')
  .action((options) => main(options));
await program.parseAsync();

interface Options {
  readonly kills: number;
  readonly outageS: number;
  readonly ticks: number;
  readonly seed: number;
  readonly only?: string | undefined;
}

async function main(options: Options): Promise<void> {
  const { kills, outageS, ticks, seed, only = '' } = options;
  const random = mulberry32(seed);
  const folder = await mkdtemp(join(tmpdir(), 'tideline-chaos-'));
  const results: RunResult[] = [];
  const failed: string[] = [];
  try {
    await using world = await startWorld(folder);
    const attempt = async (
      fault: Fault,
      run: { readonly ticks: number; readonly sliceMs?: number; readonly at: number },
    ) => {
      try {
        results.push(report(await runFault({ world, fault, ...run })));
      } catch (error) {
        failed.push(fault.name);
        process.stderr.write(`${fault.name}: ${String(error)}\n`);
        await restore(world);
      }
    };
    for (const fault of FAULTS) {
      const at = 0.2 + 0.3 * random();
      if (fault.name.includes(only)) await attempt(fault, { ticks, at });
    }
    for (const fault of outageS > 0 ? longOutages(outageS) : [])
      if (fault.name.includes(only)) await attempt(fault, { ticks: outageS * TICKS_PER_OUTAGE_S, at: 0.02 });
    if (kills > 0 && only === '')
      await attempt(killsInARow(kills), { ticks: kills * TICKS_PER_KILL, sliceMs: KILLS_SLICE_MS, at: 0.02 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${JSON.stringify(summary(results, failed, seed))}\n`);
  process.exitCode = failed.length === 0 && results.every(({ digestEqual }) => digestEqual) ? 0 : 1;
}

function report(result: RunResult): RunResult {
  const { fault, records, missing, duplicated, wrong, digestEqual, failoverMs, memory, seconds } = result;
  const failover = failoverMs.length === 0 ? '' : `, failover ${failoverMs.map((ms) => Math.round(ms)).join(' ')} ms`;
  const used = `memory at most ${memory.serviceMb} MB a service and ${memory.redisMb} MB of Redis`;
  const outcome = digestEqual ? 'digest equal' : `MISSING ${missing} DUPLICATED ${duplicated} WRONG ${wrong}`;
  process.stderr.write(`${fault}: ${records} records, ${outcome}${failover}, ${used}, ${seconds.toFixed(1)} s\n`);
  return result;
}

function summary(results: readonly RunResult[], failed: readonly string[], seed: number): Record<string, unknown> {
  const failovers = results.flatMap(({ failoverMs }) => failoverMs).sort((a, b) => a - b);
  const sum = (field: 'records' | 'missing' | 'duplicated' | 'wrong'): number =>
    results.reduce((total, result) => total + result[field], 0);
  return {
    seed,
    runs: results.length,
    failed,
    records: sum('records'),
    missing: sum('missing'),
    duplicated: sum('duplicated'),
    wrong: sum('wrong'),
    digestEqual: results.every(({ digestEqual }) => digestEqual),
    kills: failovers.length,
    failoverP50Ms: Math.round(failovers[Math.floor(failovers.length / 2)] ?? Number.NaN),
    failoverMaxMs: Math.round(failovers.at(-1) ?? Number.NaN),
    faults: results.map(({ fault, failoverMs, memory, seconds }) => ({
      ...{ fault, failoverMs: failoverMs.map(Math.round), memory, seconds: Math.round(seconds) },
    })),
  };
}

/** After a run that failed half-way the servers must not keep its fault. */
async function restore(world: World): Promise<void> {
  await world.redis('CONFIG', 'SET', 'maxmemory', '0');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number, 0 or more.');
  return value;
}
