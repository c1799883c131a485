import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadNative } from './native.ts';

/** TensorFlow.js's ops; a type only, so that who wants the reference engine alone never loads the library. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core');

/** Best first. */
export const BACKEND_KINDS = ['tfjs-node-gpu', 'tfjs-node', 'tfjs-wasm', 'tfjs-cpu'] as const;
export type BackendKind = (typeof BACKEND_KINDS)[number];

/** A loaded TensorFlow.js backend. */
export interface Backend {
  readonly kind: BackendKind;
  readonly tf: TensorFlow;
  /** Name in TensorFlow.js's registry. */
  readonly registered: string;
  /** Rows of one run of the ops that are worth a trial; `heights.ts` chooses. */
  readonly heightsTried: readonly number[];
  /** What a run costs whatever its height, in rows (measured with LSTM 16->64x2). */
  readonly overheadRows: number;
  /**
   * Whether every tile has exactly one of the chosen heights, zeros where there are too few. Native and wasm libraries choose their matrix kernels by
   * shape, and the kernels round differently: one shape for all makes a row's bits independent of its batch. The plain-TypeScript `cpu`
   * loops add in one order whatever the shape.
   */
  readonly padsTiles: boolean;
}

/**
 * Low for few rows, high to share the cost of an operation. Multiples of 16, the widest vector, so that no value of a tile is left over by the
 * vectors; multiples of 48 suit matrix kernels of 6 and 12 rows too.
 */
const PROCESSOR_HEIGHTS = [16, 32, 48, 64, 96, 192, 384];
const PROCESSOR_OVERHEAD_ROWS = 32;
const GPU_HEIGHTS = [16, 32, 64, 128, 256, 512, 1024, 4096];
const GPU_OVERHEAD_ROWS = 1024;

/** A backend that could not be loaded; the message says why and what cures it. */
export class BackendError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'BackendError';
  }
}

/** Loads one backend. Throws BackendError where it is not installed or does not start. */
export async function loadBackend(kind: BackendKind): Promise<Backend> {
  const tf = await import('@tensorflow/tfjs-core');
  // Without it the library greets on stderr and validates every tensor.
  tf.enableProdMode();
  const registered = await register(kind, tf);
  await start(tf, kind, registered);
  const onGpu = kind === 'tfjs-node-gpu';
  return {
    ...{ kind, tf, registered, padsTiles: kind !== 'tfjs-cpu' },
    heightsTried: onGpu ? GPU_HEIGHTS : PROCESSOR_HEIGHTS,
    overheadRows: onGpu ? GPU_OVERHEAD_ROWS : PROCESSOR_OVERHEAD_ROWS,
  };
}

async function register(kind: BackendKind, tf: TensorFlow): Promise<string> {
  switch (kind) {
    case 'tfjs-cpu':
      await import('@tensorflow/tfjs-backend-cpu');
      return 'cpu';
    case 'tfjs-wasm': {
      const wasm = await import('@tensorflow/tfjs-backend-wasm');
      if (tf.findBackend('wasm') === null) {
        const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
        wasm.setWasmPaths(join(dirname(main), '/'));
        // One thread: the pool's threads would outlive the engine and hold the process open.
        tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
      }
      return 'wasm';
    }
    case 'tfjs-node':
    case 'tfjs-node-gpu':
      await loadNative(kind, tf);
      return 'tensorflow';
  }
}

async function start(tf: TensorFlow, kind: BackendKind, registered: string): Promise<void> {
  let started: boolean;
  try {
    started = await tf.setBackend(registered);
  } catch (cause) {
    throw new BackendError(`${kind} does not start: ${String(cause)}`, { cause });
  }
  if (!started) throw new BackendError(`${kind} does not start: TensorFlow.js refused its backend '${registered}'.`);
}
