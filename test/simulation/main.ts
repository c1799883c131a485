/**
 * `npm run sim -- --seeds 10000`: runs seeds on all cores; progress on stderr, figures as one JSON line last on stdout.
 * `npm run sim -- --seed 42`: replays one seed and prints what happened, event by event.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { WorkerSeeds } from './sim-worker.ts';
import { simulate } from './simulate.ts';
import { addReport, addTally, emptyTally, type Tally, tallyLine, totalOf } from './tally.ts';

const TRACE_LINES_MAX = 1_000_000;
const PROGRESS_MS = 1_000;
const USAGE = `Usage: npm run sim -- [--seeds N] [--first S] [--workers W] [--crashes] [--json]
       npm run sim -- --seed S [--json]

  --seeds N    how many seeds to run (default 1000)
  --first S    the first of them (default 1)
  --workers W  threads (default: one a core)
  --crashes    instead of the seed's faults: one run for each await of each seed, with a crash there
  --seed S     replay this one seed and print its trace
  --json       nothing but the JSON line
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    crashes: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(USAGE);
else if (values.seed !== undefined) await replay(wholeNumber('seed', values.seed));
else await runSeeds();

async function replay(seed: number): Promise<void> {
  const startedMs = performance.now();
  const report = await simulate({ seed, traceLinesMax: values.json ? 0 : TRACE_LINES_MAX });
  const again = await simulate({ seed });
  const tally = emptyTally();
  addReport(tally, report);
  tally.replayed = 1;
  if (again.trace !== report.trace) tally.replaysUnequal = 1;
  if (!values.json) process.stdout.write(`${report.traceLines.join('\n')}\n`);
  finish(tally, startedMs, { seed, trace: report.trace });
}

async function runSeeds(): Promise<void> {
  const startedMs = performance.now();
  const seeds = wholeNumber('seeds', values.seeds);
  const first = wholeNumber('first', values.first);
  const workers = Math.max(1, Math.min(wholeNumber('workers', values.workers), seeds));
  const mode = { crashes: values.crashes };
  const total = emptyTally();
  const report = (): void => {
    const seconds = (performance.now() - startedMs) / 1_000;
    const done = values.crashes ? `${total.seeds} crashes` : `${total.seeds}/${seeds} seeds`;
    const found = `${totalOf(total.faults)} faults, ${total.failures.length} failing`;
    process.stderr.write(`${done}, ${found}, ${seconds.toFixed(0)} s\n`);
  };
  const timer = setInterval(report, values.json ? 2 ** 30 : PROGRESS_MS);
  const plans = Array.from({ length: workers }, (_, i) => ({
    first: first + i,
    end: first + seeds,
    stride: workers,
    ...mode,
  }));
  await Promise.all(plans.map((plan) => runWorker(plan, (tally) => addTally(total, tally))));
  clearInterval(timer);
  if (!values.json) report();
  finish(total, startedMs, values.crashes ? { seeds, runs: total.seeds } : {});
}

function runWorker(plan: WorkerSeeds, onTally: (tally: Tally) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./sim-worker.js', import.meta.url), { workerData: plan });
    worker.on('message', onTally);
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`A worker ended with ${code}.`))));
  });
}

function finish(tally: Tally, startedMs: number, more: Readonly<Record<string, unknown>>): void {
  const { failures, digestsUnequal, replaysUnequal } = tally;
  for (const { seed, violations } of failures)
    process.stderr.write(`Seed ${seed} fails; 'npm run sim -- --seed ${seed}' replays it.\n  ${violations[0]}\n`);
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  process.stdout.write(`${tallyLine(tally, { ...more, seconds })}\n`);
  process.exitCode = failures.length > 0 || replaysUnequal > 0 || digestsUnequal > 0 ? 1 : 0;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name} is '${text}', must be a whole number.\n\n${USAGE}`);
  process.exit(2);
}
