/** A thread that runs every n-th seed and sends its figures now and then. */
import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from './simulate.ts';
import { addReport, emptyTally } from './tally.ts';

export interface WorkerSeeds {
  readonly first: number;
  readonly end: number;
  readonly stride: number;
}

const SEEDS_A_MESSAGE = 20;
/** Every so many seeds one is run twice: both runs must go the same way. */
const REPLAY_EVERY = 50;

const { first, end, stride } = workerData as WorkerSeeds;
// Lost replies are errors by the million: their stacks are not looked at.
Error.stackTraceLimit = 0;

let tally = emptyTally();
for (let seed = first; seed < end; seed += stride) {
  const report = await simulate({ seed });
  addReport(tally, report);
  if (seed % REPLAY_EVERY === 0) {
    tally.replayed += 1;
    const again = await simulate({ seed });
    if (again.trace !== report.trace) tally.replaysUnequal += 1;
  }
  if (tally.seeds < SEEDS_A_MESSAGE) continue;
  parentPort?.postMessage(tally);
  tally = emptyTally();
}
parentPort?.postMessage(tally);
