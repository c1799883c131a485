/** Whether the job has become dearer than the committed baseline, on any machine: processor time in units of a calibration loop's. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../e2e/services.ts';
import type { RunResult } from './run.ts';
import { standardTicks, type Variant } from './workload.ts';

const FILE = join(ROOT, 'test', 'bench', 'pipeline', 'baseline.json');
/** Runs on one machine differ by a tenth; what is beyond this is the code. */
const TOLERANCE = 0.25;
const ROUNDS = 7;
const TICKS = 50_000;
const WIDTH = 64;

type Baseline = Readonly<Partial<Record<Variant, number>>>;

export interface Regression {
  /** Ours, in calibration loops a million records. */
  readonly loops: number;
  /** The committed figure; null: there is none of this variant. */
  readonly baseline: number | null;
  readonly ratio: number | null;
  readonly hasRegressed: boolean;
}

/** Processor time of the services a million records, as calibration loops, beside the baseline. */
export async function compareWithBaseline(result: RunResult): Promise<Regression> {
  const loops = loopsOf(result);
  const baseline = (JSON.parse(await readFile(FILE, 'utf8')) as Baseline)[result.variant] ?? null;
  const ratio = baseline === null ? null : loops / baseline;
  return { loops, baseline, ratio, hasRegressed: ratio !== null && ratio > 1 + TOLERANCE };
}

/** Makes this result the baseline of its variant. */
export async function writeBaseline(result: RunResult): Promise<void> {
  const known = JSON.parse(await readFile(FILE, 'utf8')) as Baseline;
  const next = { ...known, [result.variant]: Math.round(loopsOf(result) * 10) / 10 };
  await writeFile(FILE, `${JSON.stringify(next, null, 2)}\n`);
}

function loopsOf({ cpuPerMillion }: RunResult): number {
  return (cpuPerMillion.ingest + cpuPerMillion.forecaster) / calibrationSeconds();
}

/** Processor seconds of a fixed piece of work like the job's: JSON texts read, numbers multiplied and added. The least of some rounds; the first warm up. */
function calibrationSeconds(): number {
  const texts = Array.from(standardTicks('uniform', TICKS), ({ value }) => value);
  const weights = Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(i));
  let sum = 0;
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    for (const text of texts) {
      const { price } = JSON.parse(text) as { readonly price: number };
      for (let i = 0; i < WIDTH; i += 1) sum += weights[i] * price;
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  if (!Number.isFinite(sum)) throw new RangeError(`The calibration loop's sum is ${sum}.`);
  return Math.min(...rounds);
}
