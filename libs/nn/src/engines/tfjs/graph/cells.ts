import type { LayerWeights, ModelSpec } from '../../../model.ts';
import { attribute, type GraphBuilder, type Value } from './graph.ts';

/** State of one layer for a tile: h and (LSTM) c, [B][H]. */
export interface LayerState {
  readonly h: Value;
  readonly c: Value | null;
}

/** One layer at one step: x [B][I] and the state before give the state after. The equations stand in `cells/*.ts`. */
export type LayerNodes = (x: Value, state: LayerState) => LayerState;

interface LayerOptions {
  readonly graph: GraphBuilder;
  readonly spec: ModelSpec;
  /** The layer's own. */
  readonly inputSize: number;
  readonly weights: LayerWeights;
  /** LSTM: TensorFlow's LSTMBlockCell, one node, in the place of explicit ops. */
  readonly fused: boolean;
}

/** The nodes of one layer, written so that a step has few of them: each costs some microseconds whatever its width. */
export function createLayer(options: LayerOptions): LayerNodes {
  switch (options.spec.cell) {
    case 'rnn':
      return rnnLayer(options);
    case 'lstm':
      return options.fused ? lstmBlockLayer(options) : lstmLayer(options);
    case 'gru':
      return options.spec.gruReset === 'before' ? gruBeforeLayer(options) : gruAfterLayer(options);
  }
}

/** x and h side by side times one matrix: one product in the place of two. */
function rnnLayer(options: LayerOptions): LayerNodes {
  const { graph } = options;
  const { w, b } = joined(options, [0]);
  return (x, { h }) => ({ h: graph.apply('Tanh', graph.dense(graph.beside([x, h]), w, b)), c: null });
}

/** Gates in the order i, f, o, g: one logistic function serves three of them. */
function lstmLayer(options: LayerOptions): LayerNodes {
  const { graph, spec } = options;
  const { hiddenSize: n } = spec;
  const { w, b } = joined(options, [0, 1, 3, 2]);
  return (x, { h, c }) => {
    const [logistic, candidate] = graph.split(graph.dense(graph.beside([x, h]), w, b), [3 * n, n]);
    const [i, f, o] = graph.split(graph.apply('Sigmoid', logistic), [n, n, n]);
    const kept = graph.apply('Mul', f, ofLstm(c));
    const after = graph.apply('AddV2', kept, graph.apply('Mul', i, graph.apply('Tanh', candidate)));
    return { h: graph.apply('Mul', o, graph.apply('Tanh', after)), c: after };
  };
}

/** Gates in the order i, g, f, o and no forget bias of its own; its outputs 1 and 6 are c and h. */
function lstmBlockLayer(options: LayerOptions): LayerNodes {
  const { graph, spec } = options;
  const { w, b } = joined(options, [0, 2, 1, 3]);
  const peephole = graph.constant(new Float32Array(spec.hiddenSize), [spec.hiddenSize]);
  return (x, { h, c }) => {
    const node = graph.add('LSTMBlockCell', [x, ofLstm(c), h, w, peephole, peephole, peephole, b], {
      T: attribute.float32,
      forget_bias: attribute.float(0),
      cell_clip: attribute.float(-1),
      use_peephole: attribute.bool(false),
    });
    return { h: `${node}:6`, c: `${node}:1` };
  };
}

/** The reset gate stands between the candidate's products, so they stay apart. */
function gruAfterLayer(options: LayerOptions): LayerNodes {
  const { graph, spec, inputSize, weights } = options;
  const { hiddenSize: n } = spec;
  const part = { hiddenSize: n, gates: [0, 1, 2] };
  const w = graph.constant(columns({ ...part, w: weights.wIh, inputs: inputSize }), [inputSize, 3 * n]);
  const u = graph.constant(columns({ ...part, w: weights.wHh, inputs: n }), [n, 3 * n]);
  const bw = graph.constant(weights.bIh, [3 * n]);
  const bu = graph.constant(weights.bHh, [3 * n]);
  return (x, { h }) => {
    const [xrz, xn] = graph.split(graph.dense(x, w, bw), [2 * n, n]);
    const [hrz, hn] = graph.split(graph.dense(h, u, bu), [2 * n, n]);
    const [r, z] = graph.split(graph.apply('Sigmoid', graph.apply('AddV2', xrz, hrz)), [n, n]);
    const candidate = graph.apply('Tanh', graph.apply('AddV2', xn, graph.apply('Mul', r, hn)));
    return { h: mixed(graph, z, candidate, h), c: null };
  };
}

function gruBeforeLayer(options: LayerOptions): LayerNodes {
  const { graph, spec } = options;
  const { hiddenSize: n } = spec;
  const gates = joined(options, [0, 1]);
  const candidates = joined(options, [2]);
  return (x, { h }) => {
    const sums = graph.dense(graph.beside([x, h]), gates.w, gates.b);
    const [r, z] = graph.split(graph.apply('Sigmoid', sums), [n, n]);
    const kept = graph.apply('Mul', r, h);
    const candidate = graph.apply('Tanh', graph.dense(graph.beside([x, kept]), candidates.w, candidates.b));
    return { h: mixed(graph, z, candidate, h), c: null };
  };
}

/** (1 - z) * candidate + z * h, with one product less. */
function mixed(graph: GraphBuilder, z: Value, candidate: Value, h: Value): Value {
  return graph.apply('AddV2', candidate, graph.apply('Mul', z, graph.apply('Sub', h, candidate)));
}

function ofLstm(c: Value | null): Value {
  if (c === null) throw new TypeError('An LSTM layer was given a state without c.');
  return c;
}

/** Gates in the given order for x and h side by side: w [I + H][gates * H], b (the sum of both biases) [gates * H]. */
function joined(options: LayerOptions, gates: readonly number[]): { readonly w: Value; readonly b: Value } {
  const { graph, spec, inputSize, weights } = options;
  const { hiddenSize } = spec;
  const size = gates.length * hiddenSize;
  const part = { hiddenSize, gates };
  const w = new Float32Array((inputSize + hiddenSize) * size);
  w.set(columns({ ...part, w: weights.wIh, inputs: inputSize }));
  w.set(columns({ ...part, w: weights.wHh, inputs: hiddenSize }), inputSize * size);
  const b = Float32Array.from({ length: size }, (_, i) => {
    const row = gates[Math.floor(i / hiddenSize)] * hiddenSize + (i % hiddenSize);
    return weights.bIh[row] + weights.bHh[row];
  });
  return { w: graph.constant(w, [inputSize + hiddenSize, size]), b: graph.constant(b, [size]) };
}

/** [G * H][I] as PyTorch stores it to [I][gates * H], gates in the given order. */
function columns(options: {
  readonly w: Float32Array;
  readonly inputs: number;
  readonly hiddenSize: number;
  readonly gates: readonly number[];
}): Float32Array {
  const { w, inputs, hiddenSize, gates } = options;
  const width = gates.length * hiddenSize;
  const values = new Float32Array(inputs * width);
  gates.forEach((gate, g) => {
    for (let unit = 0; unit < hiddenSize; unit += 1)
      for (let k = 0; k < inputs; k += 1)
        values[k * width + g * hiddenSize + unit] = w[(gate * hiddenSize + unit) * inputs + k];
  });
  return values;
}
