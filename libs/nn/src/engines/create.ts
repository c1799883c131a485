import type { Engine } from '../engine.ts';
import type { Model } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { BUDGET_MS, type EngineKind, SINGLE_KINDS, type SingleKind, WIDTHS } from './kinds.ts';
import { loadEngine } from './load.ts';
import { type EngineCost, fastestOf, measureEngines, stepMsAt } from './planner.ts';
import { BACKEND_KINDS, BackendError } from './tfjs/backend.ts';

/** An engine, and sentences for the log: which engine serves, and why those before it do not. */
export interface EngineChoice {
  readonly engine: Engine;
  readonly reasons: readonly string[];
}

/** Rows of a batch that `fastest` chooses for, unless it is told. */
const WIDTH_EXPECTED = 64;

/**
 * The engine of `kind` for a model. Throws BackendError where none of the kind can be loaded, ModelError where it cannot serve the model.
 * `widthExpected` (rows a batch) and `now` (a clock in ms) are for `fastest`, which measures.
 */
export async function createEngine(
  model: Model,
  options: {
    readonly kind: EngineKind;
    readonly slotsMax: number;
    readonly widthExpected?: number;
    readonly now?: () => number;
  },
): Promise<EngineChoice> {
  const { kind } = options;
  switch (kind) {
    case 'auto':
      return createFirst(model, ['simd', 'reference'], options);
    case 'tfjs':
      return createFirst(model, BACKEND_KINDS, options);
    case 'fastest':
      return createFastest(model, options);
    default: {
      const engine = await loadEngine(model, kind, options).catch((cause: unknown) => {
        if (!(cause instanceof BackendError)) throw cause;
        throw new BackendError(`No engine '${kind}': ${cause.message}`, { cause });
      });
      return { engine, reasons: [`${engine.name}: asked for.`] };
    }
  }
}

/** The first that loads. */
async function createFirst(
  model: Model,
  kinds: readonly (SingleKind | 'simd')[],
  options: Parameters<typeof createEngine>[1],
): Promise<EngineChoice> {
  const reasons: string[] = [];
  for (const kind of kinds) {
    try {
      const engine = await loadEngine(model, kind, options);
      return { engine, reasons: [...reasons, `${engine.name}: the first that loads for '${options.kind}'.`] };
    } catch (error) {
      if (!(error instanceof BackendError || error instanceof ModelError)) throw error;
      reasons.push(error.message);
    }
  }
  throw new BackendError(`No engine '${options.kind}': ${reasons.join(' ')}`);
}

/** The one that measures best at the expected width. */
async function createFastest(model: Model, options: Parameters<typeof createEngine>[1]): Promise<EngineChoice> {
  const { widthExpected = WIDTH_EXPECTED, now = () => performance.now() } = options;
  const widths = [...WIDTHS, widthExpected];
  const costs = await measureEngines(model, SINGLE_KINDS, { widths, budgetMs: BUDGET_MS, now });
  const kind = fastestOf(costs, widthExpected);
  const reasons = costs.map((cost) => sentenceOf(cost, widthExpected));
  if (kind === null) throw new BackendError(`No engine 'fastest': ${reasons.join(' ')}`);
  const engine = await loadEngine(model, kind, options);
  const why = `taken for batches of ${widthExpected}. Engines differ in the last bits, so another choice at the next start gives other last bits.`;
  return { engine, reasons: [...reasons, `${engine.name}: ${why}`] };
}

function sentenceOf(cost: EngineCost, width: number): string {
  if (cost.problem !== null) return cost.problem;
  const stepMs = stepMsAt(cost, width);
  return `${cost.kind}: ${stepMs.toPrecision(3)} ms a step of ${width}.`;
}
