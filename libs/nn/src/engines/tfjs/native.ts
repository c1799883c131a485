import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import { BackendError, type TensorFlow } from './backend.ts';

/** Where `npm run setup:tensorflow` installs; it outlives `npm ci`, which empties node_modules. */
const SETUP_FOLDER = join('.cache', 'tensorflow');
const FOLDERS_MAX = 32;
/** What NVIDIA's driver shows: on Linux, on Windows' Linux. */
const GPU_DEVICES = ['/dev/nvidiactl', '/dev/dxg'];
const CURES = {
  'tfjs-node': 'npm run setup:tensorflow',
  'tfjs-node-gpu': 'npm run setup:tensorflow -- --gpu',
} as const;
export type NativeKind = keyof typeof CURES;

/**
 * Loads a native TensorFlow.js package: the installed one, else the one that `npm run setup:tensorflow` built. It brings its own copy of
 * tfjs-core, but all copies share one registry (a global of the process), so the ops of `tf` run on it.
 * Throws BackendError where it is missing, does not load, or (`tfjs-node-gpu`) sees no GPU.
 */
export async function loadNative(kind: NativeKind, tf: TensorFlow): Promise<void> {
  const loaded = tf.findBackend('tensorflow') as { isGPUPackage?: boolean; isUsingGpuDevice?: boolean } | null;
  const isGpu = kind === 'tfjs-node-gpu';
  if (loaded && Boolean(loaded.isGPUPackage) !== isGpu)
    throw new BackendError(
      `${kind} cannot be loaded beside @tensorflow/${isGpu ? 'tfjs-node' : 'tfjs-node-gpu'}: a process holds one native TensorFlow.`,
    );
  // Asked before it is loaded: once in the process, it would keep tfjs-node out.
  if (isGpu && !loaded && process.platform === 'linux' && !GPU_DEVICES.some((path) => existsSync(path)))
    throw new BackendError(`@tensorflow/${kind} is left out: this machine shows no GPU (${GPU_DEVICES.join(', ')}).`);
  if (!loaded) requireNative(kind);
  const backend = tf.findBackend('tensorflow') as { isUsingGpuDevice?: boolean } | null;
  if (!backend)
    throw new BackendError(
      `@tensorflow/${kind} shares no registry with this tfjs-core ${tf.version_core}. Install version 4.22.0.`,
    );
  if (isGpu && !backend.isUsingGpuDevice)
    throw new BackendError(
      `@tensorflow/${kind} sees no GPU. Check 'nvidia-smi' and that CUDA's and cuDNN's libraries are found.`,
    );
}

function requireNative(kind: NativeKind): void {
  const name = `@tensorflow/${kind}`;
  const problems: unknown[] = [];
  for (const origin of origins(kind)) {
    const require = createRequire(origin);
    try {
      require.resolve(name);
    } catch {
      continue; // Not installed there.
    }
    try {
      // Read by TensorFlow's C++ when it loads: NVIDIA's TF32 keeps 10 bits of a factor, too few to agree with the reference.
      if (kind === 'tfjs-node-gpu') process.env.NVIDIA_TF32_OVERRIDE ??= '0';
      process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
      // One thread: a step is too short to be shared out. At 1/64/512 rows of LSTM 16->64x2 TensorFlow's own choice took 2.2/2/1.4 times as long.
      process.env.TF_NUM_INTEROP_THREADS ??= '1';
      process.env.TF_NUM_INTRAOP_THREADS ??= '1';
      // Node 23 dropped it; tfjs-node 4.22 still calls it.
      Object.assign(util, { isNullOrUndefined: (value: unknown) => value === null || value === undefined });
      require(name);
      return;
    } catch (cause) {
      problems.push(cause);
    }
  }
  const [cause] = problems;
  if (cause === undefined) throw new BackendError(`${name} is not installed ('${CURES[kind]}' installs it).`);
  const [line] = String(cause instanceof Error ? cause.message : cause).split('\n');
  throw new BackendError(`${name} is installed but does not load: ${line} ('${CURES[kind]}' builds it).`, { cause });
}

/** Files whose neighbourhood may hold the package: this one, then the setup's folder in a folder above. */
function origins(kind: NativeKind): string[] {
  const here = fileURLToPath(import.meta.url);
  const found = [here];
  let folder = dirname(here);
  for (let depth = 0; depth < FOLDERS_MAX && dirname(folder) !== folder; depth += 1) {
    const manifest = join(folder, SETUP_FOLDER, kind, 'package.json');
    if (existsSync(manifest)) found.push(manifest);
    folder = dirname(folder);
  }
  return found;
}
