/** Training on standardised inputs and targets, and the weights that take and give them as they are. */
import type { ModelSpec, ModelWeights } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';

/** Mean and deviation of each of some columns. */
export interface Scaling {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** Of the columns of rows [from, to) of `values`, [rows][columns]. A column that does not change has deviation 1. */
export function scalingOf(
  values: ArrayLike<number>,
  range: { readonly columns: number; readonly from: number; readonly to: number },
): Scaling {
  const { columns, from, to } = range;
  const rows = to - from;
  const mean = new Float64Array(columns);
  const deviation = new Float64Array(columns);
  for (let i = 0; i < columns; i += 1) {
    let sum = 0;
    for (let row = from; row < to; row += 1) sum += values[row * columns + i];
    mean[i] = sum / rows;
    let squares = 0;
    for (let row = from; row < to; row += 1) squares += (values[row * columns + i] - mean[i]) ** 2;
    deviation[i] = Math.sqrt(squares / rows);
    if (!(deviation[i] > 1e-12)) deviation[i] = 1;
  }
  return { mean, deviation };
}

/** The columns as (x - mean) / deviation, float32. */
export function standardised(values: ArrayLike<number>, { mean, deviation }: Scaling): Float32Array {
  const columns = mean.length;
  return Float32Array.from(values, (value, i) => (value - mean[i % columns]) / deviation[i % columns]);
}

/**
 * Weights that read inputs as they are and answer in the target's own unit, from weights that were trained on standardised ones: W (x - m) / d is
 * (W / d) x - W m / d. So the stream needs no constants of its training data. Throws ConfigError where the first layer is normalised: its sum is no
 * linear function of the inputs.
 */
export function foldScaling(
  spec: ModelSpec,
  weights: ModelWeights,
  { inputs, outputs }: { readonly inputs: Scaling; readonly outputs: Scaling },
): ModelWeights {
  if (spec.layerNorm && spec.inputLayer === undefined)
    throw new ConfigError([`Model '${spec.name}': the scaling of its inputs cannot go into a normalised layer.`]);
  const { layers, inputW, inputB } = weights;
  const first = layers[0];
  const folded = { wIh: first.wIh, bIh: first.bIh };
  const before: { inputW?: Float32Array; inputB?: Float32Array } = {};
  if (inputW !== undefined && inputB !== undefined) {
    const one = foldInputs(inputW, inputB, inputs);
    Object.assign(before, { inputW: one.w, inputB: one.b });
  } else {
    const one = foldInputs(first.wIh, first.bIh, inputs);
    Object.assign(folded, { wIh: one.w, bIh: one.b });
  }
  return {
    ...weights,
    ...before,
    layers: [{ ...first, ...folded }, ...layers.slice(1)],
    ...foldHead(spec, weights, { inputs, outputs }),
  };
}

/** w: [rows][columns], b: [rows]. */
function foldInputs(
  w: Float32Array,
  b: Float32Array,
  { mean, deviation }: Scaling,
): { w: Float32Array; b: Float32Array } {
  const columns = mean.length;
  const scaled = Float32Array.from(w, (value, i) => value / deviation[i % columns]);
  const shifted = Float32Array.from(b, (value, row) => {
    let sum = value;
    for (let i = 0; i < columns; i += 1) sum -= (w[row * columns + i] * mean[i]) / deviation[i];
    return sum;
  });
  return { w: scaled, b: shifted };
}

/** The head's own scale, and the inputs' where a skip connection brings them to it. */
function foldHead(
  spec: ModelSpec,
  { headW, headB }: ModelWeights,
  { inputs, outputs }: { readonly inputs: Scaling; readonly outputs: Scaling },
): Pick<ModelWeights, 'headW' | 'headB'> {
  const hidden = spec.hiddenSize;
  const reads = headW.length / spec.outputSize;
  const isRaw = spec.skipConnection === true && spec.inputLayer === undefined;
  const w = Float32Array.from(headW, (value, at) => {
    const column = at % reads;
    const scale = outputs.deviation[Math.floor(at / reads)];
    return (value * scale) / (isRaw && column >= hidden ? inputs.deviation[column - hidden] : 1);
  });
  const b = Float32Array.from(headB, (value, o) => {
    let sum = value;
    if (isRaw)
      for (let i = 0; i < spec.inputSize; i += 1)
        sum -= (headW[o * reads + hidden + i] * inputs.mean[i]) / inputs.deviation[i];
    return sum * outputs.deviation[o] + outputs.mean[o];
  });
  return { headW: w, headB: b };
}
