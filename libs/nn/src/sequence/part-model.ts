import type { Engine, EngineOptions } from '../engine.ts';
import type { LayerWeights, Model, ModelSpec } from '../model.ts';
import { createModel } from '../tensors.ts';

/** Makes the engine that steps a part; `createReferenceEngine` and `createSimdEngine` are two. */
export type MakeEngine = (model: Model, options: EngineOptions) => Engine;

/** Layers of a larger model as a plain network of their own. */
export function partModel(
  spec: ModelSpec,
  part: {
    readonly name: string;
    readonly inputSize: number;
    readonly layers: readonly LayerWeights[];
    /** [outputSize][H] and [outputSize]; the identity where it is null, so that the outputs are h. */
    readonly head: { readonly headW: Float32Array; readonly headB: Float32Array } | null;
  },
): Model {
  const { bidirectional: _, decoder: __, head: ___, ...cell } = spec;
  const { headW, headB } = part.head ?? identityHead(spec.hiddenSize);
  const { inputSize, layers } = part;
  const name = `${spec.name}: ${part.name}`;
  return createModel(
    { ...cell, name, inputSize, layers: layers.length, outputSize: headB.length },
    { layers, headW, headB },
  );
}

/** h itself: products with 0 and 1 and their sum are exact. */
function identityHead(size: number): { readonly headW: Float32Array; readonly headB: Float32Array } {
  const headW = new Float32Array(size * size);
  for (let i = 0; i < size; i += 1) headW[i * size + i] = 1;
  return { headW, headB: new Float32Array(size) };
}

/** `work` in a slot of its own; its state is `state` where given, else zero. */
export async function withSlot<T>(
  engine: Engine,
  state: Float32Array | null,
  work: (slot: number) => Promise<T>,
): Promise<T> {
  const slot = engine.allocate();
  try {
    if (state !== null) engine.writeStates([slot], state);
    return await work(slot);
  } finally {
    engine.release(slot);
  }
}

export async function stateOf(engine: Engine, slot: number): Promise<Float32Array> {
  const state = new Float32Array(engine.stateSize);
  await engine.readStates([slot], state);
  return state;
}
