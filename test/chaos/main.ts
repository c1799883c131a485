/** `npm run chaos`: every fault on real servers, kills in a row, and the embedded mode. Plain lines on stderr; one JSON line of figures last on stdout. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { mulberry32 } from '@tideline/streams';
import { type EmbeddedResult, fillDisk, killEmbedded, limitFiles, prepareEmbedded } from './embedded.ts';
import { erasuresInARow, FAULTS, type Fault, killsInARow, longOutages } from './faults.ts';
import { lineOf, passed, summary } from './figures.ts';
import { type RunOptions, type RunResult, runFault } from './run-fault.ts';
import { startWorld, type World } from './world.ts';

/** A kill costs one failover and one start: the feed must outlast it. */
const TICKS_PER_KILL = 8_000;
const TICKS_PER_ERASURE = 3_000;
const SLOW_SLICE_MS = 200;
/** What the feed sends in the time of an outage, and a little beyond. */
const TICKS_PER_OUTAGE_S = 2_500;
/** Room that a full disk, or a limit on files, leaves: the state is the first that needs more, or the points are. */
const ROOMS_BYTES = [120_000, 900_000];

type Planned = { readonly fault: Fault } & Pick<RunOptions, 'ticks' | 'at' | 'sliceMs'>;

const program = new Command('chaos')
  .description('Runs the pipeline under every fault and compares what it wrote with an offline pass.')
  .option('--kills <n>', 'forecasters killed, Redis erased and embedded runs killed in a row', wholeNumber, 20)
  .option('--outage-s <n>', 'seconds of the long outages under load, 0 for none', wholeNumber, 60)
  .option('--ticks <n>', 'records of a run', wholeNumber, 20_000)
  .option('--seed <n>', 'decides when each fault comes', wholeNumber, 1)
  .option('--only <text>', "faults whose name holds the text; those of the embedded mode hold 'embedded'")
  .option('--no-disk', 'leave out the full disk, which needs the right to mount one')
  .action((options) => main(options));
await program.parseAsync();

interface Options {
  readonly kills: number;
  readonly outageS: number;
  readonly ticks: number;
  readonly seed: number;
  readonly only?: string | undefined;
  readonly disk: boolean;
}

async function main(options: Options): Promise<void> {
  const { seed } = options;
  const random = mulberry32(seed);
  const folder = await mkdtemp(join(tmpdir(), 'tideline-chaos-'));
  const results = { seed, stack: [] as RunResult[], embedded: [] as EmbeddedResult[], failed: [] as string[] };
  const attempt = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      results.failed.push(name);
      process.stderr.write(`${name}: ${String(error)}\n`);
    }
  };
  try {
    const runs = plan(options, random);
    if (runs.length > 0) {
      await using world = await startWorld(folder);
      for (const run of runs)
        await attempt(run.fault.name, async () => {
          const result = await runFault({ world, ...run }).catch(async (error) => {
            // A server that did not come back cannot be restored either: what went wrong first is what is told.
            await restore(world).catch(() => undefined);
            throw error;
          });
          await restore(world);
          results.stack.push(result);
          process.stderr.write(`${lineOf(result)}\n`);
        });
    }
    if ('embedded'.includes(options.only ?? '')) await embedded({ folder, options, random, attempt, results });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${JSON.stringify(summary(results))}\n`);
  process.exitCode = passed(results) ? 0 : 1;
}

function plan({ kills, outageS, ticks, only = '' }: Options, random: () => number): Planned[] {
  const single = FAULTS.map((fault): Planned => ({ fault, ticks, at: 0.2 + 0.3 * random() }));
  const long = outageS > 0 ? longOutages(outageS) : [];
  const underLoad = long.map((fault): Planned => ({ fault, ticks: outageS * TICKS_PER_OUTAGE_S, at: 0.02 }));
  const inARow = (fault: Fault, ticksEach: number): Planned[] =>
    kills > 0 ? [{ fault, ticks: kills * ticksEach, at: 0.02, sliceMs: SLOW_SLICE_MS }] : [];
  return [
    ...single,
    ...underLoad,
    ...inARow(killsInARow(kills), TICKS_PER_KILL),
    ...inARow(erasuresInARow(kills), TICKS_PER_ERASURE),
  ].filter(({ fault }) => fault.name.includes(only));
}

async function embedded(run: {
  readonly folder: string;
  readonly options: Options;
  readonly random: () => number;
  readonly attempt: (name: string, work: () => Promise<void>) => Promise<void>;
  readonly results: { readonly embedded: EmbeddedResult[] };
}): Promise<void> {
  const { folder, options, random, attempt, results } = run;
  const job = await prepareEmbedded(folder, options.ticks);
  const tried = (name: string, work: () => Promise<EmbeddedResult>): Promise<void> =>
    attempt(`embedded mode: ${name}`, async () => {
      const result = await work();
      results.embedded.push(result);
      const { fault, records, digestEqual, seconds, ...rest } = result;
      const outcome = digestEqual ? 'digest equal' : 'DIGEST NOT EQUAL';
      process.stderr.write(
        `${fault}: ${records} records, ${outcome}, ${JSON.stringify(rest)}, ${seconds.toFixed(1)} s\n`,
      );
    });
  if (options.kills > 0) await tried('kills', () => killEmbedded(job, { kills: options.kills, random }));
  for (const bytes of ROOMS_BYTES) {
    await tried('limited files', () => limitFiles(job, bytes));
    if (options.disk) await tried('full disk', () => fillDisk(job, bytes));
  }
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
