/** A thread that runs every n-th seed and sends its figures now and then. */
import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from './simulate.ts';
import { addReport, emptyTally } from './tally.ts';

export interface WorkerSeeds {
  readonly first: number;
  readonly end: number;
  readonly stride: number;
  /** Instead of the faults that a seed draws: its run once for each await, with one crash there. */
  readonly crashes: boolean;
}

const SEEDS_A_MESSAGE = 20;
/** Every so many seeds one is run twice: both runs must go the same way. */
const REPLAY_EVERY = 50;

const { first, end, stride, crashes } = workerData as WorkerSeeds;
// Lost replies are errors by the million: their stacks are not looked at.
Error.stackTraceLimit = 0;

let tally = emptyTally();
function send(): void {
  if (tally.seeds < SEEDS_A_MESSAGE) return;
  parentPort?.postMessage(tally);
  tally = emptyTally();
}

for (let seed = first; seed < end; seed += stride) {
  if (crashes) {
    const { awaits } = await simulate({ seed, faults: [] });
    for (let crashAtAwait = 1; crashAtAwait <= awaits; crashAtAwait += 1) {
      addReport(tally, await simulate({ seed, faults: [], crashAtAwait }));
      send();
    }
    continue;
  }
  const report = await simulate({ seed });
  addReport(tally, report);
  if (seed % REPLAY_EVERY === 0) {
    tally.replayed += 1;
    const again = await simulate({ seed });
    if (again.trace !== report.trace) tally.replaysUnequal += 1;
  }
  send();
}
parentPort?.postMessage(tally);
