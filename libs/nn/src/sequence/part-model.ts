import type { Engine, EngineOptions } from '../engine.ts';
import type { LayerWeights, Model, ModelSpec, ModelWeights } from '../model.ts';
import { ModelError } from '../model-error.ts';
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
    /** The head, and the layer before the first one where the spec has it; null: the identity, so that the outputs are h. */
    readonly head: Pick<ModelWeights, 'inputW' | 'inputB' | 'headW' | 'headB'> | null;
  },
): Model {
  // The inputs hold what the embedding gives already: its table is not the layers' business.
  const { bidirectional: _, decoder: __, head: ___, embedding: ____, ...cell } = spec;
  const { inputW, inputB, headW, headB } = part.head ?? identityHead(spec.hiddenSize);
  const before = inputW && inputB ? { inputW, inputB } : {};
  const { inputSize, layers } = part;
  const name = `${spec.name}: ${part.name}`;
  return createModel(
    { ...cell, name, inputSize, layers: layers.length, outputSize: headB.length },
    { layers, ...before, headW, headB },
  );
}

/** h itself: products with 0 and 1 and their sum are exact. */
function identityHead(size: number): Omit<ModelWeights, 'layers'> {
  const headW = new Float32Array(size * size);
  for (let i = 0; i < size; i += 1) headW[i * size + i] = 1;
  return { headW, headB: new Float32Array(size) };
}

/** Work of engines in parts: yields what an engine gives, to be awaited; nothing, where the engine was done at once. */
export type EngineWork<T> = Generator<Promise<void> | undefined, T, undefined>;

/** Waits for each part. */
export async function inTurn<T>(work: EngineWork<T>): Promise<T> {
  let part = work.next();
  while (!part.done)
    try {
      await part.value;
      part = work.next();
    } catch (error) {
      part = work.throw(error);
    }
  return part.value;
}

/** Does it now. Throws ModelError where an engine is not done at once. */
export function atOnce<T>(work: EngineWork<T>): T {
  let part = work.next();
  while (!part.done)
    part =
      part.value === undefined
        ? work.next()
        : work.throw(new ModelError('This engine is not done at once: use run, or a reference or simd engine.'));
  return part.value;
}

/** `work` in a slot of its own; its state is `state` where given, else zero. */
export function* withSlot<T>(
  engine: Engine,
  state: Float32Array | null,
  work: (slot: number) => EngineWork<T>,
): EngineWork<T> {
  const slot = engine.allocate();
  try {
    if (state !== null) engine.writeStates([slot], state);
    return yield* work(slot);
  } finally {
    engine.release(slot);
  }
}

export function* stateOf(engine: Engine, slot: number): EngineWork<Float32Array> {
  const state = new Float32Array(engine.stateSize);
  yield engine.readStates([slot], state) ?? undefined;
  return state;
}
