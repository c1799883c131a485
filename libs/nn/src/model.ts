/** What a recurrent model is: its shape and its weights, in PyTorch's layout and gate order. */

export type CellKind = 'rnn' | 'lstm' | 'gru';

/**
 * Which convention the GRU's candidate uses for its reset gate.
 * `after`: n = tanh(W x + b_in + r * (U h + b_hn)) (PyTorch, cuDNN, ONNX linear_before_reset = 1).
 * `before`: n = tanh(W x + b_in + U (r * h) + b_hn) (Cho et al. 2014, ONNX linear_before_reset = 0).
 */
export type GruReset = 'after' | 'before';

/** Shape of a stacked recurrent network with a dense head on the last layer's output. */
export interface ModelSpec {
  readonly name: string;
  readonly cell: CellKind;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly outputSize: number;
  /** GRU only; `after` unless said. */
  readonly gruReset?: GruReset;
}

/** Gates a cell: RNN 1; LSTM 4 in the order i, f, g, o; GRU 3 in the order r, z, n (PyTorch's orders). */
export const GATES = { rnn: 1, lstm: 4, gru: 3 } as const satisfies Record<CellKind, number>;

/** One layer. G = gates, H = hiddenSize, I = the layer's input size; row-major float32. */
export interface LayerWeights {
  /** [G*H][I] */
  readonly wIh: Float32Array;
  /** [G*H][H] */
  readonly wHh: Float32Array;
  /** [G*H] */
  readonly bIh: Float32Array;
  /** [G*H] */
  readonly bHh: Float32Array;
}

export interface ModelWeights {
  readonly layers: readonly LayerWeights[];
  /** [outputSize][H] */
  readonly headW: Float32Array;
  /** [outputSize] */
  readonly headB: Float32Array;
}

export interface Model {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  /** SHA-256 over spec and weights, hex. */
  readonly digest: string;
}

/** float32 values of state a series: h of each layer, then (LSTM) c of each layer: [h0..h(L-1)][c0..c(L-1)], each H long. */
export function stateSizeOf(spec: ModelSpec): number {
  return spec.layers * spec.hiddenSize * (spec.cell === 'lstm' ? 2 : 1);
}
