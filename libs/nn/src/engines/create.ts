import type { Engine } from '../engine.ts';
import type { Model } from '../model.ts';
import { createReferenceEngine } from './reference.ts';
import { BACKEND_KINDS, type Backend, BackendError, type BackendKind, loadBackend } from './tfjs/backend.ts';
import { createTfjsEngine } from './tfjs/engine.ts';

/** `auto` and `tfjs` choose (docs/decisions/0004-engines.md); the others are what they say or fail. */
export const ENGINE_KINDS = [
  'auto',
  'reference',
  'tfjs',
  'tfjs-wasm',
  'tfjs-cpu',
  'tfjs-node',
  'tfjs-node-gpu',
] as const;
export type EngineKind = (typeof ENGINE_KINDS)[number];

/**
 * The engine of `kind` for a model; `reasons` are sentences for the log: which engine serves, and why those before it do not.
 * Throws BackendError where none of the kind can be loaded.
 */
export async function createEngine(
  model: Model,
  options: { readonly kind: EngineKind; readonly slotsMax: number },
): Promise<{ readonly engine: Engine; readonly reasons: readonly string[] }> {
  const { kind } = options;
  if (kind === 'reference')
    return { engine: createReferenceEngine(model, options), reasons: ['reference: asked for.'] };
  const { backend, reasons } = await firstThatLoads(wanted(kind));
  if (backend) {
    const why = kind === backend.kind ? 'asked for' : `the best that loads for '${kind}'`;
    return { engine: createTfjsEngine(model, options, backend), reasons: [...reasons, `${backend.kind}: ${why}.`] };
  }
  if (kind !== 'auto') throw new BackendError(`No engine '${kind}': ${reasons.join(' ')}`);
  const why = 'reference: the rule without a GPU; on a processor it beats TensorFlow.js at the widths of a stream.';
  return { engine: createReferenceEngine(model, options), reasons: [...reasons, why] };
}

function wanted(kind: Exclude<EngineKind, 'reference'>): readonly BackendKind[] {
  if (kind === 'auto') return ['tfjs-node-gpu'];
  return kind === 'tfjs' ? BACKEND_KINDS : [kind];
}

async function firstThatLoads(
  kinds: readonly BackendKind[],
): Promise<{ readonly backend: Backend | null; readonly reasons: readonly string[] }> {
  const reasons: string[] = [];
  for (const kind of kinds) {
    try {
      return { backend: await loadBackend(kind), reasons };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      reasons.push(error.message);
    }
  }
  return { backend: null, reasons };
}
