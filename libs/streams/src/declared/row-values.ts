import { BAR_VALUES } from '../features/bars.ts';
import { compilePlan, NO_CLIP, type Plan } from '../features/plan.ts';
import type { Declaration, DeclaredFeature } from './declaration.ts';

/** Features that every forecast needs and no file has to name. */
const MEAN_GAP = '$meanGap';
const COUNT = '$count';
/** Memory of the mean gap between two steps: about 100 of them. */
const GAP_WEIGHT = 0.01;

/** The plan of a declaration, and where its rows' values stand in a row's context. */
export interface RowValues {
  readonly plan: Plan;
  /** Places in the plan's values of what the context holds, in the context's order. */
  readonly contextPlaces: Uint32Array;
  /** Place in the context of a field, a bar's value or a feature. */
  contextAt(name: string): number;
  /** Place in the context of the mean time between two steps, ms; -1 where nothing asks for it. */
  readonly meanGapAt: number;
  /** Place in the context of the number of steps; -1 where nothing asks for it. */
  readonly countAt: number;
  readonly alerts: readonly { readonly kind: string; readonly contextAt: number }[];
}

export function rowValuesOf(declaration: Declaration): RowValues {
  const { fields, bars, features, output, point, warmUp } = declaration;
  const names = [...(bars === null ? [] : BAR_VALUES), ...fields.map(({ name }) => name)];
  const hidden = [
    ...(output.kind === 'raw' ? [] : [featureOf('$gap', 'time_gap', []), featureOf(MEAN_GAP, 'ewma', ['$gap'])]),
    ...(warmUp === 0 ? [] : [featureOf(COUNT, 'count', [])]),
  ];
  const plan = compilePlan(names, [...features, ...hidden]);
  const forecast =
    output.kind === 'raw' ? [] : [output.of, output.last, ...(output.unit === null ? [] : [output.unit]), MEAN_GAP];
  const further = point.with.filter((name) => name !== 'offset' && name !== 'partition');
  const kept = [...new Set([...forecast, ...further, ...(warmUp === 0 ? [] : [COUNT])])];
  const places = [...kept.map((name) => plan.place.get(name) ?? 0), ...plan.alerts.map(({ place }) => place)];
  return {
    plan,
    contextPlaces: Uint32Array.from(places),
    contextAt: (name) => kept.indexOf(name),
    meanGapAt: kept.indexOf(MEAN_GAP),
    countAt: kept.indexOf(COUNT),
    alerts: plan.alerts.map(({ kind }, i) => ({ kind, contextAt: kept.length + i })),
  };
}

function featureOf(name: string, op: 'time_gap' | 'ewma' | 'count', of: readonly string[]): DeclaredFeature {
  const parameters = { cap_ms: Number.MAX_VALUE, unit: 'ms', weight: GAP_WEIGHT };
  return { name, op, of, parameters, scale: 1, clip: NO_CLIP, isInput: false, absent: 0 };
}
