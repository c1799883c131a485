import type { Engine } from '../engine.ts';
import type { Model } from '../model.ts';
import { createReferenceEngine } from './reference.ts';

export const ENGINE_KINDS = ['auto', 'reference'] as const;
export type EngineKind = (typeof ENGINE_KINDS)[number];

/** The engine of `kind` for a model, and why it is this one. */
export async function createEngine(
  model: Model,
  options: { readonly kind: EngineKind; readonly slotsMax: number },
): Promise<{ readonly engine: Engine; readonly reasons: readonly string[] }> {
  return { engine: createReferenceEngine(model, options), reasons: [] };
}
