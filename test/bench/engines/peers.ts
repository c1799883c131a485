/**
 * The contestants: every engine of Tideline, and what they are measured against.
 * Peers are fetched on demand into .cache/bench, so that `npm ci` stays light.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENGINE_KINDS } from '@tideline/nn';
import type { ContestantCommand } from './contestant-process.ts';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
export const CACHE_FOLDER = join(ROOT, '.cache', 'bench');
const ONNXRUNTIME_NODE = '1.30.0';
const PYTHON_PACKAGES = ['numpy==2.4.6', 'onnxruntime==1.32.0'];
const TORCH = 'torch==2.15.0';
/** PyTorch's own index has wheels without CUDA, 2 GB smaller. */
const TORCH_CPU_INDEX = 'https://download.pytorch.org/whl/cpu';
const INSTALL_TIMEOUT_MS = 1_500_000;
/** Kinds that stand for others. */
const CHOOSERS: readonly string[] = ['auto', 'fastest', 'simd', 'tfjs'];

export const ONNXRUNTIME = 'onnxruntime-node';
export const PYTORCH = 'pytorch';
/** TensorFlow.js in its wasm backend, behind Tideline's own engine. */
export const TENSORFLOW = 'tfjs-wasm';
export const ONNXRUNTIME_PYTHON = 'onnxruntime (Python)';

export interface Absent {
  readonly name: string;
  readonly why: string;
}

export interface PeerOptions {
  /** Whether what is missing may be fetched. */
  readonly install: boolean;
  /** A Python that has torch and onnxruntime; null: the one in .cache/bench. */
  readonly python: string | null;
  readonly say: (line: string) => void;
}

/** How to start each contestant, Tideline's engines first; peers that cannot be had are told with their reason. */
export function findContestants(options: PeerOptions): {
  readonly commands: readonly ContestantCommand[];
  readonly absent: readonly Absent[];
} {
  const engines = ENGINE_KINDS.filter((kind) => !CHOOSERS.includes(kind)).map((kind) => ({
    name: kind,
    ...node('tideline-contestant.js', kind),
  }));
  const found = [onnxruntimeNode(options), ...pythonPeers(options)];
  return {
    commands: [...engines, ...found.filter((peer) => 'command' in peer)],
    absent: found.filter((peer) => 'why' in peer),
  };
}

/** TensorFlow's C++ would greet on stderr and take every core. */
const QUIET_ONE_THREAD = {
  TF_CPP_MIN_LOG_LEVEL: '3',
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  OMP_NUM_THREADS: '1',
};

function node(script: string, argument: string): Omit<ContestantCommand, 'name'> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return { command: process.execPath, args: [path, argument], env: QUIET_ONE_THREAD };
}

function onnxruntimeNode({ install, say }: PeerOptions): ContestantCommand | Absent {
  const folder = join(CACHE_FOLDER, 'node');
  const manifest = join(folder, 'node_modules', ONNXRUNTIME, 'package.json');
  if (!existsSync(manifest)) {
    if (!install) return { name: ONNXRUNTIME, why: 'it is not installed (--install fetches it)' };
    say(`Fetching ${ONNXRUNTIME} ${ONNXRUNTIME_NODE} into ${folder} ...`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "name": "bench-peers", "private": true }\n');
    const flags = ['--no-audit', '--no-fund', '--loglevel=error', '--no-workspaces', '--save-exact'];
    // Its processor library is in the package; its install script would fetch CUDA's.
    const env = { ONNXRUNTIME_NODE_INSTALL: 'skip' };
    const why = failureOf('npm', ['install', ...flags, `${ONNXRUNTIME}@${ONNXRUNTIME_NODE}`], { cwd: folder, env });
    if (why !== null) return { name: ONNXRUNTIME, why };
  }
  return { name: ONNXRUNTIME, ...node('onnx-contestant.js', folder) };
}

function pythonPeers(options: PeerOptions): (ContestantCommand | Absent)[] {
  const script = join(ROOT, 'test', 'bench', 'engines', 'contestant.py');
  const python = options.python ?? cachedPython(options);
  const peers = [
    { name: PYTORCH, module: 'torch' },
    { name: ONNXRUNTIME_PYTHON, module: 'onnxruntime' },
  ];
  return peers.map(({ name, module }) => {
    if (typeof python !== 'string') return { name, why: python.why };
    const why = failureOf(python, ['-c', `import numpy, ${module}`]);
    return why === null ? { name, command: python, args: [script, module], env: QUIET_ONE_THREAD } : { name, why };
  });
}

/** The Python in .cache/bench, made where it may be. */
function cachedPython({ install, say }: PeerOptions): string | { readonly why: string } {
  const folder = join(CACHE_FOLDER, 'python');
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  if (!install) return { why: 'no Python has it (--install fetches it, TIDELINE_BENCH_PYTHON names one)' };
  say(`Fetching PyTorch and onnxruntime into ${folder} (once, some minutes) ...`);
  const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check'];
  const why =
    failureOf('python3', ['-m', 'venv', folder]) ??
    failureOf(python, [...pip, ...PYTHON_PACKAGES]) ??
    (failureOf(python, [...pip, TORCH, '--index-url', TORCH_CPU_INDEX]) === null
      ? null
      : failureOf(python, [...pip, TORCH]));
  if (why === null) return python;
  rmSync(folder, { recursive: true, force: true });
  return { why };
}

/** Null where the command succeeds, else the last line that it said. */
function failureOf(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): string | null {
  const { status, error, stderr } = spawnSync(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  if (status === 0) return null;
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? `${command} ended with ${status}`;
}
