/** The embedded mode under faults: SIGKILL at any moment, and a disk without room. Nothing here needs a server. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { generatedTicks } from '@tideline/streams';
import { ROOT } from '../e2e/services.ts';
import { eventually } from '../stack/index.ts';

/** Records of one run and what a run without faults makes of them. */
export interface EmbeddedJob {
  readonly folder: string;
  readonly file: string;
  readonly records: number;
  readonly digest: string;
  /** Of the points' file, of a run and of its start until the first point, without faults. */
  readonly pointsBytes: number;
  readonly startMs: number;
}

export interface EmbeddedResult {
  readonly fault: string;
  readonly records: number;
  readonly digestEqual: boolean;
  readonly seconds: number;
  /** Kills that came before the run's first point, and after it; a full disk: how often an operation had to be repeated. */
  readonly killsAtStart?: number;
  readonly killsAtWork?: number;
  readonly repeated?: number;
}

interface Run {
  readonly child: ReturnType<typeof spawn>;
  readonly points: string;
  output(): { readonly stdout: string; readonly stderr: string };
  /** Digest of a run that ended well. */
  digest(): Promise<string>;
}

const SYMBOLS = 40;
const DEADLINE_MS = 60_000;
const WAITING = 'A shard waits and tries again.';

/** Writes `records` ticks to a file in `folder` and runs through them once, undisturbed. */
export async function prepareEmbedded(folder: string, records: number): Promise<EmbeddedJob> {
  const file = join(folder, 'ticks.jsonl');
  const ticks = [...generatedTicks({ seed: 6, symbols: SYMBOLS, records })];
  await writeFile(file, ticks.map(({ value }) => value).join('\n'));
  const started = performance.now();
  const run = start(file, join(folder, 'straight'));
  const startMs = await eventually('the first point', async () => (await sizeOf(run.points)) > 0, DEADLINE_MS).then(
    () => performance.now() - started,
  );
  const digest = await run.digest();
  return { folder, file, records, digest, pointsBytes: await sizeOf(run.points), startMs };
}

/** Kills runs one after the other, each going on from what the one before left, and lets the last one end. */
export async function killEmbedded(
  job: EmbeddedJob,
  options: { readonly kills: number; readonly random: () => number },
): Promise<EmbeddedResult> {
  const { kills, random } = options;
  const started = performance.now();
  const state = join(job.folder, 'killed');
  const counts = { killsAtStart: 0, killsAtWork: 0 };
  for (let k = 0; k < kills; k += 1) {
    const run = start(job.file, state);
    const before = await sizeOf(run.points);
    if (random() < 0.4) await sleep(random() * job.startMs);
    else {
      const more = (random() * (job.pointsBytes - before)) / (kills - k);
      const enough = async (): Promise<boolean> => (await sizeOf(run.points)) > before + more;
      await eventually('some points more, or the end', async () => run.child.exitCode !== null || (await enough()));
    }
    if ((await sizeOf(run.points)) > before) counts.killsAtWork += 1;
    else counts.killsAtStart += 1;
    run.child.kill('SIGKILL');
    if (run.child.exitCode === null && run.child.signalCode === null) await once(run.child, 'exit');
  }
  const digest = await start(job.file, state).digest();
  await rm(state, { recursive: true, force: true });
  return {
    fault: `embedded mode killed ${kills} times in a row`,
    ...{ records: job.records, digestEqual: digest === job.digest, ...counts, seconds: secondsSince(started) },
  };
}

/** No file may grow beyond `fileBytesMax` until the run has said that it waits: what a full disk does, without a disk of one's own. */
export async function limitFiles(job: EmbeddedJob, fileBytesMax: number): Promise<EmbeddedResult> {
  const started = performance.now();
  const state = join(job.folder, `limited-${fileBytesMax}`);
  const run = start(job.file, state, ['prlimit', `--fsize=${fileBytesMax}:`]);
  await waits(run);
  await promisify(execFile)('prlimit', ['--pid', String(run.child.pid), '--fsize=unlimited:']);
  return { fault: `no file above ${fileBytesMax} bytes`, ...(await outcome(job, run, started)) };
}

/** A disk (tmpfs) with `freeBytes` left, until the run has said that it waits. Throws where this user may not mount, with the cure. */
export async function fillDisk(job: EmbeddedJob, freeBytes: number): Promise<EmbeddedResult> {
  const started = performance.now();
  const disk = join(job.folder, `disk-${freeBytes}`);
  await mkdir(disk);
  await mountTmpfs(disk, freeBytes + 4 * job.pointsBytes);
  try {
    const filler = join(disk, 'filler');
    const file = await open(filler, 'w');
    await file.writeFile(Buffer.alloc(4 * job.pointsBytes));
    await file.close();
    const run = start(job.file, join(disk, 'state'));
    await waits(run);
    await rm(filler);
    return { fault: `disk with ${freeBytes} bytes left`, ...(await outcome(job, run, started)) };
  } finally {
    await promisify(execFile)('umount', ['--lazy', disk]);
  }
}

async function mountTmpfs(folder: string, bytes: number): Promise<void> {
  try {
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tideline-chaos', folder]);
  } catch (cause) {
    throw new Error(
      `A full disk needs a file system of its own, and this user may not mount one (${String(cause).trim()}). Run as root, or leave it out with --no-disk.`,
      { cause },
    );
  }
}

/** Resolves when the run has met the full disk and, a while later, still lives. */
async function waits(run: Run): Promise<void> {
  const ended = (): boolean => run.child.exitCode !== null || run.child.signalCode !== null;
  await eventually('the run waits for room', () => run.output().stderr.includes(WAITING) || ended(), DEADLINE_MS);
  await eventually('it has tried again', async () => (await ageMs(run)) > 1_000 || ended(), DEADLINE_MS);
  if (ended())
    throw new Error(`The run ended, with ${run.child.exitCode ?? run.child.signalCode}:\n${run.output().stderr}`);
}

/** Time since the points' file grew last. */
async function ageMs(run: Run): Promise<number> {
  return Date.now() - ((await stat(run.points).catch(() => null))?.mtimeMs ?? 0);
}

async function outcome(job: EmbeddedJob, run: Run, started: number): Promise<Omit<EmbeddedResult, 'fault'>> {
  const digest = await run.digest();
  const repeated = run.output().stderr.split(WAITING).length - 1;
  return { records: job.records, digestEqual: digest === job.digest, repeated, seconds: secondsSince(started) };
}

function start(file: string, state: string, through: readonly string[] = []): Run {
  const demo = ['demo', '--once', '--summary', 'json', '--file', file, '--topic', 'ticks', '--state', state];
  const [command, ...args] = [...through, process.execPath, join(ROOT, 'bin', 'tideline.js'), ...demo];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (part: Buffer) => {
      output[name] += part.toString('utf8');
    });
  const closed = once(child, 'close');
  closed.catch(() => undefined); // told by digest
  return {
    child,
    points: join(state, 'points.lp'),
    output: () => output,
    async digest() {
      const [code] = await closed;
      if (code !== 0) throw new Error(`The run ended with ${code}:\n${output.stderr.slice(-3_000)}`);
      return (JSON.parse(output.stdout.trim().split('\n').at(-1) ?? '') as { readonly digest: string }).digest;
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1_000;
}
