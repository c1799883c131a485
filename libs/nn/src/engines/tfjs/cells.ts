import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { LayerWeights, ModelSpec } from '../../model.ts';
import type { TensorFlow } from './backend.ts';

/** State of one layer for a tile: h and (LSTM) c, [B][H]. */
export interface LayerState {
  readonly h: Tensor2D;
  readonly c: Tensor2D | null;
}

/** One layer at one step: x [B][I] and the state before give the state after. The equations stand in `cells/*.ts`. */
export type LayerOps = (x: Tensor2D, state: LayerState) => LayerState;

/** The ops of one layer; its weight tensors are pushed to `owned`. inputSize: the layer's own. */
export function createLayer(options: {
  readonly tf: TensorFlow;
  readonly spec: ModelSpec;
  readonly inputSize: number;
  readonly weights: LayerWeights;
  readonly owned: Tensor2D[];
}): LayerOps {
  switch (options.spec.cell) {
    case 'rnn':
      return rnnLayer(options);
    case 'lstm':
      return lstmLayer(options);
    case 'gru':
      return options.spec.gruReset === 'before' ? gruBeforeLayer(options) : gruAfterLayer(options);
  }
}

type LayerOptions = Parameters<typeof createLayer>[0];

/** [out][in] as PyTorch stores it becomes a tensor [in][out], the form that matMul takes without transposing at each step. */
export function transposed(options: {
  readonly tf: TensorFlow;
  readonly owned: Tensor2D[];
  readonly w: Float32Array;
  readonly rows: number;
  readonly columns: number;
}): Tensor2D {
  const { tf, owned, w, rows, columns } = options;
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r += 1) for (let c = 0; c < columns; c += 1) values[c * rows + r] = w[r * columns + c];
  const tensor = tf.tensor2d(values, [columns, rows]);
  owned.push(tensor);
  return tensor;
}

function bias(options: LayerOptions, values: Float32Array): Tensor2D {
  const tensor = options.tf.tensor2d(values, [1, values.length]);
  options.owned.push(tensor);
  return tensor;
}

/** Rows [from, to) of the gates as tensors: w [I][R], u [H][R], bw and bu [1][R]. */
function gates(options: LayerOptions, from: number, to: number) {
  const { tf, owned, spec, inputSize, weights } = options;
  const { hiddenSize: n } = spec;
  const rows = (to - from) * n;
  const part = (w: Float32Array, columns: number): Float32Array => w.subarray(from * n * columns, to * n * columns);
  return {
    w: transposed({ tf, owned, w: part(weights.wIh, inputSize), rows, columns: inputSize }),
    u: transposed({ tf, owned, w: part(weights.wHh, n), rows, columns: n }),
    bw: bias(options, part(weights.bIh, 1)),
    bu: bias(options, part(weights.bHh, 1)),
  };
}

function rnnLayer(options: LayerOptions): LayerOps {
  const { tf } = options;
  const { w, u, bw, bu } = gates(options, 0, 1);
  return (x, { h }) => ({
    h: tf.tanh(tf.add(tf.add(tf.matMul(x, w), bw), tf.add(tf.matMul(h, u), bu))) as Tensor2D,
    c: null,
  });
}

function lstmLayer(options: LayerOptions): LayerOps {
  const { tf } = options;
  const { w, u, bw, bu } = gates(options, 0, 4);
  return (x, state) => {
    const sums: Tensor2D = tf.add(tf.add(tf.matMul(x, w), bw), tf.add(tf.matMul(state.h, u), bu));
    const [i, f, g, o] = tf.split<Tensor2D>(sums, 4, 1);
    const before = state.c ?? tf.zerosLike(state.h);
    const c = tf.add(tf.mul(tf.sigmoid(f), before), tf.mul(tf.sigmoid(i), tf.tanh(g))) as Tensor2D;
    return { h: tf.mul(tf.sigmoid(o), tf.tanh(c)) as Tensor2D, c };
  };
}

function gruAfterLayer(options: LayerOptions): LayerOps {
  const { tf } = options;
  const { w, u, bw, bu } = gates(options, 0, 3);
  return (x, { h }) => {
    const [xr, xz, xn] = tf.split<Tensor2D>(tf.add(tf.matMul(x, w), bw) as Tensor2D, 3, 1);
    const [hr, hz, hn] = tf.split<Tensor2D>(tf.add(tf.matMul(h, u), bu) as Tensor2D, 3, 1);
    const candidate = tf.tanh(tf.add(xn, tf.mul(tf.sigmoid(tf.add(xr, hr)), hn)));
    return { h: mix(tf, tf.sigmoid(tf.add(xz, hz)) as Tensor2D, candidate as Tensor2D, h), c: null };
  };
}

function gruBeforeLayer(options: LayerOptions): LayerOps {
  const { tf } = options;
  const rz = gates(options, 0, 2);
  const n = gates(options, 2, 3);
  return (x, { h }) => {
    const sums = tf.add(tf.add(tf.matMul(x, rz.w), rz.bw), tf.add(tf.matMul(h, rz.u), rz.bu));
    const [r, z] = tf.split<Tensor2D>(tf.sigmoid(sums) as Tensor2D, 2, 1);
    const kept: Tensor2D = tf.mul(r, h);
    const candidate = tf.tanh(tf.add(tf.add(tf.matMul(x, n.w), n.bw), tf.add(tf.matMul(kept, n.u), n.bu)));
    return { h: mix(tf, z, candidate as Tensor2D, h), c: null };
  };
}

/** (1 - z) * candidate + z * h. */
function mix(tf: TensorFlow, z: Tensor2D, candidate: Tensor2D, h: Tensor2D): Tensor2D {
  return tf.add(tf.mul(tf.sub(1, z), candidate), tf.mul(z, h)) as Tensor2D;
}
