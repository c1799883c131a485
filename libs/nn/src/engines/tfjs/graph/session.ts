import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TensorFlow } from '../backend.ts';
import { GRAPH_TAG } from './graph.ts';

/** What this uses of the addon of @tensorflow/tfjs-node 4.22 (dist/tfjs_binding.d.ts). Tensors are numbers that must be deleted. */
interface Binding {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  createTensor(shape: readonly number[], type: number, values: Float32Array | Int32Array): number;
  deleteTensor(tensor: number): void;
  tensorDataSync(tensor: number): Float32Array;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(savedModel: number): void;
  /** Names separated by commas, `node:0`. */
  runSavedModel(
    savedModel: number,
    tensors: readonly number[],
    feeds: string,
    fetches: string,
  ): { readonly id: number }[];
}

export interface Feed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** A graph that TensorFlow holds: one call runs all of its nodes that a result needs. */
export interface Session {
  /** Runs to the end and gives a fetched float32 value, row-major. Throws what TensorFlow says. */
  run(feeds: readonly Feed[], fetch: string): Float32Array;
  /** Frees the graph and its variables. */
  dispose(): void;
}

/**
 * Starts a session of a saved model on the native backend. The addon loads from a folder only, so it gets one for a moment.
 * Why a graph: op by op each of some 20 to 40 nodes is a call through TensorFlow.js, and the same step took 4 to 20 times as long at one row.
 */
export function startSession(tf: TensorFlow, savedModel: Uint8Array): Session {
  const { binding } = tf.findBackend('tensorflow') as unknown as { readonly binding: Binding };
  const folder = mkdtempSync(join(tmpdir(), 'tideline-graph-'));
  let id: number;
  try {
    writeFileSync(join(folder, 'saved_model.pb'), savedModel);
    id = binding.loadSavedModel(folder, GRAPH_TAG);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    run: (feeds, fetch) => {
      const tensors: number[] = [];
      try {
        for (const { shape, values } of feeds) {
          const type = values instanceof Float32Array ? binding.TF_FLOAT : binding.TF_INT32;
          tensors.push(binding.createTensor(shape, type, values));
        }
        const names = feeds.map(({ name }) => `${name}:0`).join(',');
        const [fetched] = binding.runSavedModel(id, tensors, names, `${fetch}:0`);
        tensors.push(fetched.id);
        return binding.tensorDataSync(fetched.id);
      } finally {
        for (const tensor of tensors) binding.deleteTensor(tensor);
      }
    },
    dispose: () => binding.deleteSavedModel(id),
  };
}
