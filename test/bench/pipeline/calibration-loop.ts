/**
 * Prints the processor seconds of a fixed piece of work like the job's: JSON texts read, numbers multiplied and added. A program of its own, so that it is
 * compiled the same every time.
 */
import { standardTicks } from './workload.ts';

const ROUNDS = 15;
const TICKS = 50_000;
const WIDTH = 64;

const texts = Array.from(standardTicks('uniform', TICKS), ({ value }) => value);
const weights = Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(i));
let sum = 0;

function round(): number {
  const before = process.cpuUsage();
  for (const text of texts) {
    const { price } = JSON.parse(text) as { readonly price: number };
    for (let i = 0; i < WIDTH; i += 1) sum += weights[i] * price;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const rounds = Array.from({ length: ROUNDS }, round);
if (!Number.isFinite(sum)) throw new RangeError(`The calibration loop's sum is ${sum}.`);
// The least: what others on the machine take only adds to it.
process.stdout.write(`${Math.min(...rounds)}\n`);
