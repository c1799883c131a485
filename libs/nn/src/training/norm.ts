/**
 * Layer norm in training: y = gain * hat + shift, hat = (a - mean(a)) * scale, scale = 1 / sqrt(var(a) + epsilon), over the values of a group.
 * Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016; the gradient by the chain rule:
 *   da = scale * (e - mean(e) - hat * mean(e * hat)), e = gain * dy.
 */
import { NORM_EPSILON } from '../cells/layer-norm.ts';

/** A group of neighbours that are normalised together. */
export interface NormGroup {
  readonly from: number;
  readonly count: number;
}

/** Places of a norm of [B][T][width] values. */
export interface Norm {
  readonly width: number;
  readonly groups: readonly NormGroup[];
  /** [width] each: gain, shift and their gradients. */
  readonly gain: number;
  readonly shift: number;
  readonly dGain: number;
  readonly dShift: number;
  /** [B][T][width] */
  readonly hat: number;
  /** [B][T][groups] */
  readonly scale: number;
}

/** Normalises the groups in [from, from + count) of row `row`, whose values stand at `at`, in place. */
export function normaliseRow(
  v: Float64Array,
  norm: Norm,
  place: { readonly row: number; readonly at: number; readonly from: number; readonly count: number },
): void {
  norm.groups.forEach((group, g) => {
    if (group.from < place.from || group.from >= place.from + place.count) return;
    const { count: n } = group;
    const at = place.at + group.from;
    const hat = norm.hat + place.row * norm.width + group.from;
    let sum = 0;
    for (let j = 0; j < n; j += 1) sum += v[at + j];
    const mean = sum / n;
    let squares = 0;
    for (let j = 0; j < n; j += 1) squares += (v[at + j] - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / n + NORM_EPSILON);
    v[norm.scale + place.row * norm.groups.length + g] = scale;
    for (let j = 0; j < n; j += 1) {
      const value = (v[at + j] - mean) * scale;
      v[hat + j] = value;
      v[at + j] = v[norm.gain + group.from + j] * value + v[norm.shift + group.from + j];
    }
  });
}

/** The gradient of y at `at` becomes that of a, in place; those of gain and shift are added. */
export function normGradientRow(
  v: Float64Array,
  norm: Norm,
  place: { readonly row: number; readonly at: number; readonly from: number; readonly count: number },
): void {
  norm.groups.forEach((group, g) => {
    if (group.from < place.from || group.from >= place.from + place.count) return;
    const { from, count: n } = group;
    const at = place.at + from;
    const hat = norm.hat + place.row * norm.width + from;
    const scale = v[norm.scale + place.row * norm.groups.length + g];
    let sum = 0;
    let product = 0;
    for (let j = 0; j < n; j += 1) {
      const d = v[at + j];
      v[norm.dGain + from + j] += d * v[hat + j];
      v[norm.dShift + from + j] += d;
      const e = v[norm.gain + from + j] * d;
      v[at + j] = e;
      sum += e;
      product += e * v[hat + j];
    }
    for (let j = 0; j < n; j += 1) v[at + j] = scale * (v[at + j] - sum / n - (v[hat + j] * product) / n);
  });
}
