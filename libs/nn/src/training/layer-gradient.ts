/**
 * One recurrent layer in training: the cells' equations of `../cells` forward, keeping what the backward pass needs, and their derivatives.
 * Everything is float64. Source of the derivatives: the chain rule over the equations in `../cells`; checked against finite differences in the tests.
 */
import { type CellKind, GATES } from '../model.ts';

/** Weights or gradients of a layer: w1 [G*H][I], w2 [G*H][H], b1 and b2 [G*H]. */
export interface LayerTensors {
  readonly w1: Float64Array;
  readonly w2: Float64Array;
  readonly b1: Float64Array;
  readonly b2: Float64Array;
}

/** What the forward pass of one step keeps. */
export interface StepTrace {
  readonly x: Float64Array;
  readonly hBefore: Float64Array;
  readonly cBefore: Float64Array;
  /** Gates after their nonlinearity, [G*H]. */
  readonly gates: Float64Array;
  /** GRU: U_n h + b_hn, [H]. LSTM: tanh(c_t), [H]. */
  readonly inner: Float64Array;
  readonly h: Float64Array;
  readonly c: Float64Array;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export function forwardLayer(
  cell: CellKind,
  w: LayerTensors,
  x: Float64Array,
  hBefore: Float64Array,
  cBefore: Float64Array,
): StepTrace {
  const n = hBefore.length;
  const rows = GATES[cell] * n;
  const fromX = affine(w.w1, w.b1, x, rows);
  const fromH = affine(w.w2, w.b2, hBefore, rows);
  const trace = {
    ...{ x, hBefore, cBefore, gates: fromX },
    inner: new Float64Array(cell === 'rnn' ? 0 : n),
    h: new Float64Array(n),
    c: cell === 'lstm' ? new Float64Array(n) : cBefore,
  };
  const { gates, inner, h, c } = trace;
  for (let j = 0; j < n; j += 1) {
    if (cell === 'rnn') {
      gates[j] = Math.tanh(fromX[j] + fromH[j]);
      h[j] = gates[j];
    } else if (cell === 'lstm') {
      for (const g of [0, 1, 3]) gates[g * n + j] = sigmoid(fromX[g * n + j] + fromH[g * n + j]);
      gates[2 * n + j] = Math.tanh(fromX[2 * n + j] + fromH[2 * n + j]);
      c[j] = gates[n + j] * cBefore[j] + gates[j] * gates[2 * n + j];
      inner[j] = Math.tanh(c[j]);
      h[j] = gates[3 * n + j] * inner[j];
    } else {
      for (const g of [0, 1]) gates[g * n + j] = sigmoid(fromX[g * n + j] + fromH[g * n + j]);
      inner[j] = fromH[2 * n + j];
      gates[2 * n + j] = Math.tanh(fromX[2 * n + j] + gates[j] * inner[j]);
      h[j] = (1 - gates[n + j]) * gates[2 * n + j] + gates[n + j] * hBefore[j];
    }
  }
  return trace;
}

/** Gradients that flow on: to the input, and to the states before the step. */
export interface StepGradient {
  readonly dx: Float64Array;
  readonly dh: Float64Array;
  readonly dc: Float64Array;
}

/** Adds the step's weight gradients to `sum`; dh and dc are those of h_t and c_t. */
export function backwardLayer(
  cell: CellKind,
  w: LayerTensors,
  sum: LayerTensors,
  step: StepTrace,
  after: Pick<StepGradient, 'dh' | 'dc'>,
): StepGradient {
  const n = step.h.length;
  const toX = new Float64Array(GATES[cell] * n);
  const toH = cell === 'gru' ? new Float64Array(3 * n) : toX;
  const dh = new Float64Array(n);
  const dc = new Float64Array(cell === 'lstm' ? n : 0);
  const { gates, inner, hBefore, cBefore } = step;
  for (let j = 0; j < n; j += 1) {
    const d = after.dh[j];
    if (cell === 'rnn') toX[j] = d * (1 - gates[j] * gates[j]);
    else if (cell === 'lstm') {
      const [i, f, g, o] = [gates[j], gates[n + j], gates[2 * n + j], gates[3 * n + j]];
      const dCell = after.dc[j] + d * o * (1 - inner[j] * inner[j]);
      toX[j] = dCell * g * i * (1 - i);
      toX[n + j] = dCell * cBefore[j] * f * (1 - f);
      toX[2 * n + j] = dCell * i * (1 - g * g);
      toX[3 * n + j] = d * inner[j] * o * (1 - o);
      dc[j] = dCell * f;
    } else {
      const [r, z, m] = [gates[j], gates[n + j], gates[2 * n + j]];
      const dm = d * (1 - z) * (1 - m * m);
      toX[j] = dm * inner[j] * r * (1 - r);
      toX[n + j] = d * (hBefore[j] - m) * z * (1 - z);
      toX[2 * n + j] = dm;
      toH[j] = toX[j];
      toH[n + j] = toX[n + j];
      toH[2 * n + j] = dm * r;
      dh[j] = d * z;
    }
  }
  const dx = new Float64Array(step.x.length);
  addOuter(w.w1, sum.w1, sum.b1, toX, step.x, dx);
  addOuter(w.w2, sum.w2, sum.b2, toH, hBefore, dh);
  return { dx, dh, dc };
}

/** b + W v, [rows]. */
export function affine(w: Float64Array, b: Float64Array, v: Float64Array, rows: number): Float64Array {
  const out = new Float64Array(rows);
  const n = v.length;
  for (let r = 0; r < rows; r += 1) {
    let sum = b[r];
    const at = r * n;
    for (let k = 0; k < n; k += 1) sum += w[at + k] * v[k];
    out[r] = sum;
  }
  return out;
}

/** dW += d v^T, db += d, dv += W^T d. */
export function addOuter(
  w: Float64Array,
  dw: Float64Array,
  db: Float64Array,
  d: Float64Array,
  v: Float64Array,
  dv: Float64Array,
): void {
  const n = v.length;
  for (let r = 0; r < d.length; r += 1) {
    const slope = d[r];
    if (slope === 0) continue;
    db[r] += slope;
    const at = r * n;
    for (let k = 0; k < n; k += 1) {
      dw[at + k] += slope * v[k];
      dv[k] += slope * w[at + k];
    }
  }
}
