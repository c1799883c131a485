import type { ModelSpec, ModelWeights } from '../model.ts';
import { elementCount, tensorShapes, tensorsOf, weightsOf } from '../tensors.ts';
import { addOuter, affine, backwardLayer, forwardLayer, type LayerTensors, type StepTrace } from './layer-gradient.ts';

/** All weights (or all gradients) of a network in one array, with views on its tensors. */
export interface Parameters {
  readonly flat: Float64Array;
  readonly layers: readonly LayerTensors[];
  readonly headW: Float64Array;
  readonly headB: Float64Array;
}

export function createParameters(spec: ModelSpec): Parameters {
  const sizes = tensorShapes(spec).map(({ shape }) => elementCount(shape));
  const flat = new Float64Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  const views = sizes.map((size) => {
    at += size;
    return flat.subarray(at - size, at);
  });
  const layers = Array.from({ length: spec.layers }, (_, layer) => {
    const [w1, w2, b1, b2] = views.slice(4 * layer, 4 * layer + 4);
    return { w1, w2, b1, b2 };
  });
  return { flat, layers, headW: views[4 * spec.layers], headB: views[4 * spec.layers + 1] };
}

export function loadParameters(spec: ModelSpec, weights: ModelWeights): Parameters {
  const parameters = createParameters(spec);
  let at = 0;
  for (const tensor of tensorsOf(weights)) {
    parameters.flat.set(tensor, at);
    at += tensor.length;
  }
  return parameters;
}

/** The parameters as float32 weights. */
export function storeParameters(spec: ModelSpec, flat: Float64Array): ModelWeights {
  let at = 0;
  const tensors = tensorShapes(spec).map(({ shape }) => {
    const size = elementCount(shape);
    at += size;
    return Float32Array.from(flat.subarray(at - size, at));
  });
  return weightsOf(spec, tensors);
}

/** Hidden states of one sequence, a pair of [H] a layer. */
export interface SequenceState {
  readonly h: Float64Array[];
  readonly c: Float64Array[];
}

export function zeroState(spec: ModelSpec): SequenceState {
  const zeros = (): Float64Array[] => Array.from({ length: spec.layers }, () => new Float64Array(spec.hiddenSize));
  return { h: zeros(), c: zeros() };
}

/** Loss of one row and its gradient with respect to the outputs; null: the row counts nothing. */
export type RowLoss = (outputs: Float64Array, row: number, gradient: Float64Array) => number | null;

export interface Window {
  readonly spec: ModelSpec;
  readonly weights: Parameters;
  /** [rows][I] of the whole sequence. */
  readonly inputs: Float32Array;
  readonly from: number;
  readonly to: number;
  /** Advanced to the window's end; the gradient stops at its start (truncated back-propagation: Williams, Peng 1990). */
  readonly state: SequenceState;
  readonly loss: RowLoss;
  /** Sums of gradients; null: only the loss is wanted. */
  readonly gradients: Parameters | null;
}

/** Runs a window forward and, where gradients are wanted, backward. */
export function runWindow(window: Window): { readonly loss: number; readonly rows: number } {
  const { spec, weights, inputs, from, to, state, gradients } = window;
  const traces: StepTrace[][] = [];
  const slopes: (Float64Array | null)[] = [];
  let loss = 0;
  let rows = 0;
  for (let row = from; row < to; row += 1) {
    let x = Float64Array.from(inputs.subarray(row * spec.inputSize, (row + 1) * spec.inputSize));
    const steps = weights.layers.map((layer, l) => {
      const trace = forwardLayer(spec.cell, layer, x, state.h[l], state.c[l]);
      state.h[l] = trace.h;
      state.c[l] = trace.c;
      x = trace.h as Float64Array<ArrayBuffer>;
      return trace;
    });
    const gradient = new Float64Array(spec.outputSize);
    const value = window.loss(affine(weights.headW, weights.headB, x, spec.outputSize), row, gradient);
    if (value !== null) {
      loss += value;
      rows += 1;
    }
    traces.push(steps);
    slopes.push(value === null ? null : gradient);
  }
  if (gradients) backward(window, gradients, traces, slopes);
  return { loss, rows };
}

function backward(
  window: Window,
  gradients: Parameters,
  traces: readonly StepTrace[][],
  slopes: readonly (Float64Array | null)[],
): void {
  const { spec, weights } = window;
  const { h: dh, c: dc } = zeroState(spec);
  for (let t = traces.length - 1; t >= 0; t -= 1) {
    const top = spec.layers - 1;
    const slope = slopes[t];
    if (slope) addOuter(weights.headW, gradients.headW, gradients.headB, slope, traces[t][top].h, dh[top]);
    for (let l = top; l >= 0; l -= 1) {
      const step = backwardLayer(spec.cell, weights.layers[l], gradients.layers[l], traces[t][l], {
        dh: dh[l],
        dc: dc[l],
      });
      dh[l] = step.dh;
      dc[l] = step.dc;
      if (l > 0) for (let j = 0; j < spec.hiddenSize; j += 1) dh[l - 1][j] += step.dx[j];
    }
  }
}

/** float64 values of all parameters. */
export function parameterCount(spec: ModelSpec): number {
  return tensorShapes(spec).reduce((sum, { shape }) => sum + elementCount(shape), 0);
}
