/** A stream's features as one flat plan: the operators in their order, over one array of values a row and one range of state a series. */
import { lagAdvance, lagStateSize } from './change.ts';
import { type Advance, type Build, TIME_PLACE } from './operator.ts';
import { type OperatorName, operatorOf } from './operators.ts';

export interface PlannedFeature {
  readonly name: string;
  readonly op: OperatorName;
  /** Names of fields or of features before it. */
  readonly of: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The operator's value times `scale`, then within `clip`. */
  readonly scale: number;
  readonly clip: readonly [number, number];
}

export interface Plan {
  /** float64 values of state a series. */
  readonly stateSize: number;
  /** Length of the array of values; place 0 is the time, the fields follow in their order. */
  readonly size: number;
  /** Place of a field or feature. */
  readonly place: ReadonlyMap<string, number>;
  /** Places of values of which a point tells where they are known. */
  readonly alerts: readonly { readonly kind: string; readonly place: number }[];
  /** Makes the features from time and fields, which stand in `values` already, and advances the series' state at `at`. */
  advance(values: Float64Array, state: Float64Array, at: number): void;
}

/** `fields` and names are known to be right: the declaration was checked. */
export function compilePlan(fields: readonly string[], features: readonly PlannedFeature[]): Plan {
  const place = new Map(fields.map((name, i) => [name, TIME_PLACE + 1 + i]));
  const lags = new Map<string, number>();
  const alerts: { readonly kind: string; readonly place: number }[] = [];
  const steps: {
    readonly advance: Advance;
    readonly out: number;
    readonly scale: number;
    readonly clip: readonly [number, number];
  }[] = [];
  let size = TIME_PLACE + 1 + fields.length;
  let stateSize = 0;
  const reserve = (count: number): number => {
    stateSize += count;
    return stateSize - count;
  };
  const next = (): number => {
    size += 1;
    return size - 1;
  };
  const lag = (source: number, back: number): number => {
    const known = lags.get(`${source} ${back}`);
    if (known !== undefined) return known;
    const out = next();
    lags.set(`${source} ${back}`, out);
    const advance = lagAdvance(source, out, back, reserve(lagStateSize(back)));
    steps.push({ advance, out, scale: 1, clip: NO_CLIP });
    return out;
  };
  const alert = (kind: string): number => {
    alerts.push({ kind, place: next() });
    return size - 1;
  };
  for (const { name, op, of, parameters, scale, clip } of features) {
    const out = next();
    const build = operatorOf(op).build as Build<Readonly<Record<string, unknown>>>;
    const sources = of.map((source) => place.get(source) ?? Number.NaN);
    const advance = build(parameters, { of: sources, out, plan: { state: reserve, lag, alert } });
    steps.push({ advance, out, scale, clip });
    place.set(name, out);
  }
  return { stateSize, size, place, alerts, advance: advanceOf(steps) };
}

export const NO_CLIP = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Operators return nothing and write in place: a returned float would be allocated at every call that is not inlined. */
function advanceOf(
  steps: readonly {
    readonly advance: Advance;
    readonly out: number;
    readonly scale: number;
    readonly clip: readonly [number, number];
  }[],
): Plan['advance'] {
  const count = steps.length;
  const advances = steps.map(({ advance }) => advance);
  const outs = Uint32Array.from(steps, ({ out }) => out);
  const scales = Float64Array.from(steps, ({ scale }) => scale);
  const lows = Float64Array.from(steps, ({ clip }) => clip[0]);
  const highs = Float64Array.from(steps, ({ clip }) => clip[1]);
  return (values, state, at) => {
    for (let i = 0; i < count; i += 1) {
      advances[i](values, state, at);
      const value = values[outs[i]] * scales[i];
      const within = value < lows[i] ? lows[i] : value > highs[i] ? highs[i] : value;
      // What is not finite would stay in every running sum behind it: it is not known.
      values[outs[i]] = Number.isFinite(within) ? within : Number.NaN;
    }
  };
}
