import type { Engine } from '../engine.ts';
import type { Model } from '../model.ts';
import { ModelError } from '../model-error.ts';
import type { SingleKind } from './kinds.ts';
import { loadEngine } from './load.ts';
import { BackendError } from './tfjs/backend.ts';

/** What a step costs at a width (rows a batch). */
export interface StepCost {
  readonly width: number;
  readonly stepMs: number;
  /** False where the time was up: then it is the cost of the width before, as many times as it is wider. */
  readonly measured: boolean;
}

export interface EngineCost {
  readonly kind: SingleKind;
  /** Ascending widths; empty where the engine does not load. */
  readonly costs: readonly StepCost[];
  /** Why it does not load; null where it does. */
  readonly problem: string | null;
}

export interface MeasureOptions {
  readonly widths: readonly number[];
  /** Time for measuring one engine, without loading it. */
  readonly budgetMs: number;
  /** A clock in milliseconds. */
  readonly now: () => number;
}

/** How much faster than the first engine that loads another must be to be taken: a measurement's noise must not change the arithmetic. */
export const MARGIN = 1.25;
/** Steps shorter than this are timed together. */
const GROUP_MS = 1;
const GROUPS_MAX = 10_000;

/** What a step of this model costs on each kind that loads here. The engines are gone afterwards. */
export async function measureEngines(
  model: Model,
  kinds: readonly SingleKind[],
  options: MeasureOptions & { readonly onEngine?: (cost: EngineCost) => void },
): Promise<readonly EngineCost[]> {
  const found: EngineCost[] = [];
  for (const kind of kinds) {
    const cost = await measureKind(model, kind, options);
    options.onEngine?.(cost);
    found.push(cost);
  }
  return found;
}

/** The kind to take at a width: the first that loads, unless another is MARGIN times as fast. Null where none loads. */
export function fastestOf(costs: readonly EngineCost[], width: number): SingleKind | null {
  const loaded = costs.filter(({ problem }) => problem === null);
  if (loaded.length === 0) return null;
  const first = loaded[0];
  const best = loaded.reduce((most, one) => (stepMsAt(one, width) < stepMsAt(most, width) ? one : most));
  return stepMsAt(best, width) * MARGIN < stepMsAt(first, width) ? best.kind : first.kind;
}

/** Milliseconds a step of a measured width. */
export function stepMsAt({ costs }: EngineCost, width: number): number {
  return costs.find((cost) => cost.width === width)?.stepMs ?? Number.POSITIVE_INFINITY;
}

async function measureKind(model: Model, kind: SingleKind, options: MeasureOptions): Promise<EngineCost> {
  let engine: Engine;
  try {
    engine = await loadEngine(model, kind, { slotsMax: Math.max(...options.widths) });
  } catch (error) {
    if (!(error instanceof BackendError || error instanceof ModelError)) throw error;
    return { kind, costs: [], problem: error.message };
  }
  try {
    return { kind, costs: await measureEngine(engine, options), problem: null };
  } finally {
    engine.dispose();
  }
}

/** Measures from the narrowest width on; needs an engine with room for the widest. */
async function measureEngine(engine: Engine, options: MeasureOptions): Promise<readonly StepCost[]> {
  const { budgetMs, now } = options;
  const widths = [...new Set(options.widths)].sort((a, b) => a - b);
  const start = now();
  const costs: StepCost[] = [];
  const slots: number[] = [];
  for (const [i, width] of widths.entries()) {
    while (slots.length < width) slots.push(engine.allocate());
    const left = budgetMs - (now() - start);
    const before = costs.at(-1);
    const expectedMs = before ? (before.stepMs * width) / before.width : 0;
    // One step to warm up and one to measure must fit, else it is not begun.
    if (before && (!before.measured || 2 * expectedMs > left)) {
      costs.push({ width, stepMs: expectedMs, measured: false });
      continue;
    }
    const stepMs = await timeStep(engine, slots, { budgetMs: left / (widths.length - i), now });
    costs.push({ width, stepMs, measured: true });
  }
  return costs;
}

/** The best mean of groups of steps: what else runs on the machine only ever adds. */
async function timeStep(
  engine: Engine,
  slots: readonly number[],
  { budgetMs, now }: { readonly budgetMs: number; readonly now: () => number },
): Promise<number> {
  const width = slots.length;
  const batch = {
    slots: Uint32Array.from(slots),
    rows: Uint32Array.from(slots, (_, row) => row),
    inputs: Float32Array.from({ length: width * engine.inputSize }, (_, i) => Math.sin(i)),
    outputs: new Float32Array(width * engine.outputSize),
  };
  const start = now();
  await engine.step(batch);
  let repeats = 1;
  let best = Number.POSITIVE_INFINITY;
  for (let group = 0; group < GROUPS_MAX && (group === 0 || now() - start < budgetMs); group += 1) {
    const groupStart = now();
    for (let i = 0; i < repeats; i += 1) {
      // Not awaited where nothing is to be awaited: a turn of the event loop costs more than a step.
      const pending = engine.step(batch);
      if (pending) await pending;
    }
    const groupMs = now() - groupStart;
    best = Math.min(best, groupMs / repeats);
    if (groupMs < GROUP_MS) repeats *= 2;
  }
  return best;
}
