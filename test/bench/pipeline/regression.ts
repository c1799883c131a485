/** Whether the job has become dearer than the committed baseline, on any machine: processor time in units of a calibration loop's. */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../e2e/services.ts';
import type { RunResult } from './run.ts';
import type { Variant } from './workload.ts';

const FILE = join(ROOT, 'test', 'bench', 'pipeline', 'baseline.json');
/** Runs on one machine differ by a tenth; what is beyond this is the code. */
const TOLERANCE = 0.25;

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

function calibrationSeconds(): number {
  const program = join(ROOT, 'test', 'dist', 'bench', 'pipeline', 'calibration-loop.js');
  return Number(execFileSync(process.execPath, [program], { encoding: 'utf8' }));
}
