import { assertServes, type Engine, type EngineOptions } from '../engine.ts';
import type { Model } from '../model.ts';
import type { SingleKind } from './kinds.ts';
import { createReferenceEngine } from './reference.ts';
import { createSimdEngine, SIMD_FORMS } from './simd/engine.ts';
import { BackendError, type BackendKind, loadBackend } from './tfjs/backend.ts';
import { createTfjsEngine } from './tfjs/engine.ts';
import { createGraphEngine } from './tfjs/graph/engine.ts';

/**
 * The engine of a kind, or of `simd`: the native kernel where it is compiled, else the portable one (the same bits).
 * Throws BackendError with the cure where it is not installed or compiled, ModelError where it cannot serve the model.
 */
export async function loadEngine(model: Model, kind: SingleKind | 'simd', options: EngineOptions): Promise<Engine> {
  if (kind !== 'reference')
    assertServes(kind, model.spec, kind.startsWith('simd') ? SIMD_FORMS : ['inputLayer', 'skipConnection']);
  switch (kind) {
    case 'reference':
      return createReferenceEngine(model, options);
    case 'simd':
      return loadSimd(model, 'best', options);
    case 'simd-wasm':
      return loadSimd(model, 'wasm', options);
    case 'simd-native':
      return loadSimd(model, 'native', options);
    case 'simd-native-fused':
      return loadSimd(model, 'native-fused', options);
    case 'tfjs-wasm':
    case 'tfjs-cpu':
      return createTfjsEngine(model, options, await loadBackend(kind));
    case 'tfjs-node':
    case 'tfjs-node-gpu':
      return loadGraph(model, kind, { ...options, fused: false });
    case 'tfjs-node-fused':
      return loadGraph(model, 'tfjs-node', { ...options, fused: true });
    case 'tfjs-node-gpu-fused':
      return loadGraph(model, 'tfjs-node-gpu', { ...options, fused: true });
  }
}

async function loadGraph(
  model: Model,
  kind: BackendKind,
  options: EngineOptions & { readonly fused: boolean },
): Promise<Engine> {
  return createGraphEngine(model, options, await loadBackend(kind));
}

function loadSimd(model: Model, kernel: 'best' | 'wasm' | 'native' | 'native-fused', options: EngineOptions): Engine {
  try {
    return createSimdEngine(model, { ...options, kernel });
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'Error') throw cause;
    throw new BackendError(cause.message, { cause });
  }
}
