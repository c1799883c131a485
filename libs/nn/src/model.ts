/** What a recurrent model is: its shape and its weights, in PyTorch's layout and gate order. */
import type { HeadSpec } from './heads/head.ts';

export type CellKind = 'rnn' | 'lstm' | 'gru';

/**
 * Which convention the GRU's candidate uses for its reset gate.
 * `after`: n = tanh(W x + b_in + r * (U h + b_hn)) (PyTorch, cuDNN, ONNX linear_before_reset = 1).
 * `before`: n = tanh(W x + b_in + U (r * h) + b_hn) (Cho et al. 2014, ONNX linear_before_reset = 0).
 */
export type GruReset = 'after' | 'before';

/** Shape of a stacked recurrent network with a dense head on the last layer's output. What is left out is the plain form. */
export interface ModelSpec {
  readonly name: string;
  readonly cell: CellKind;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  /** Rows of the dense head. What they mean says `head`. */
  readonly outputSize: number;
  /** GRU only; `after` unless said. */
  readonly gruReset?: GruReset;
  /** LSTM only: the gates see the cell's state (`cells/peephole-lstm.ts`). */
  readonly peephole?: boolean;
  /** Sums are normalised over the layer's units (`cells/layer-norm.ts`). Not together with `peephole`. */
  readonly layerNorm?: boolean;
  /** Units of a dense layer before the first recurrent one, v = tanh(W x + b); none unless said. Not together with `bidirectional` or `decoder`. */
  readonly inputLayer?: number;
  /** What `inputLayer` makes of W x + b: 'tanh' unless said, or 'relu', max(0, .). */
  readonly inputActivation?: InputActivation;
  /** The last inputs are gathered from a trained table; none unless said. */
  readonly embedding?: EmbeddingSpec;
  /** A network of its own that reads the words of a row's text; its outputs stand before the embedding's values. None unless said. */
  readonly textEncoder?: TextEncoderSpec;
  /** An encoder outside of the model whose values of a row's text are among the inputs, behind those of `textEncoder`. None unless said. */
  readonly sentenceEncoder?: SentenceEncoderSpec;
  /** The head also reads what the first recurrent layer reads, y = W [h, v] + b: a linear model beside it. Not with `bidirectional` or `decoder`. */
  readonly skipConnection?: boolean;
  /** Each layer reads the sequence in both directions (`sequence/sequence-model.ts`): for sequences that are complete. */
  readonly bidirectional?: boolean;
  /** A second network writes another sequence from the state at this one's end (`sequence/encoder-decoder.ts`). Not together with `bidirectional`. */
  readonly decoder?: DecoderSpec;
  /** What the outputs mean and which steps have them; a linear output at every step unless said. */
  readonly head?: HeadSpec;
}

/**
 * A table [buckets][size] that is trained with the network and stays outside of the engines: the last `size` inputs of a row are the sum of the row's
 * entries divided by the square root of their number (`embedding.ts`), which whoever makes the row gathers. An entry may stand more than once.
 */
export interface EmbeddingSpec {
  readonly buckets: number;
  readonly size: number;
}

/**
 * Shape of a model that turns a text into `outputSize` values, its head's over the whole sequence of the text's words. Like the embedding it stays outside of
 * the engines: whoever makes the row runs it (`sequence/text-encoder.ts`). It lies in the model's file and counts in its digest, so that no model ever reads by
 * another encoder than the one that it was trained with.
 */
export type TextEncoderSpec = Omit<ModelSpec, 'name' | 'textEncoder' | 'sentenceEncoder'>;

/** Which encoder a model was trained with. It counts in the model's digest, so that no state is ever stepped with the values of another one. */
export interface SentenceEncoderSpec {
  /** Values of a text. */
  readonly size: number;
  /** SHA-256, hex, of the encoder's files. */
  readonly digest: string;
}

/** The decoder of an encoder-decoder. Cell, hidden size and layers are the encoder's, whose state it takes over. */
export interface DecoderSpec {
  /** Values known ahead that each decoder step reads beside the output before (calendar, planned prices); 0 unless said. */
  readonly knownSize?: number;
  /** Each decoder step also reads the encoder's last h of the top layer, the summary c of Cho et al. 2014; no unless said (Sutskever et al. 2014). */
  readonly summaryEachStep?: boolean;
}

/** Of the dense layer before the first recurrent one. */
export const INPUT_ACTIVATIONS = ['tanh', 'relu'] as const;
export type InputActivation = (typeof INPUT_ACTIVATIONS)[number];

/** Gates a cell: RNN 1; LSTM 4 in the order i, f, g, o; GRU 3 in the order r, z, n (PyTorch's orders). */
export const GATES = { rnn: 1, lstm: 4, gru: 3 } as const satisfies Record<CellKind, number>;

/** One layer in one direction. G = gates, H = hiddenSize, I = the layer's input size; row-major float32. */
export interface LayerWeights {
  /** [G*H][I] */
  readonly wIh: Float32Array;
  /** [G*H][H] */
  readonly wHh: Float32Array;
  /** [G*H] */
  readonly bIh: Float32Array;
  /** [G*H] */
  readonly bHh: Float32Array;
  /** With `peephole`: p_i, p_f, p_o, [3*H]. */
  readonly peephole?: Float32Array;
  /** With `layerNorm`, LSTM and GRU: gains of W x and of U h, [G*H] each. Their shifts are bIh and bHh. */
  readonly normIh?: Float32Array;
  readonly normHh?: Float32Array;
  /** With `layerNorm`, LSTM: gain and shift of c_t before the output gate, [H] each. */
  readonly normC?: Float32Array;
  readonly normCShift?: Float32Array;
  /** With `layerNorm`, RNN: gain of W x + U h, [H]. */
  readonly normSum?: Float32Array;
}

export interface ModelWeights {
  /** Layer by layer; bidirectional: forward, reverse of layer 0, forward, reverse of layer 1, ... */
  readonly layers: readonly LayerWeights[];
  /** With `decoder`: its layers. */
  readonly decoder?: readonly LayerWeights[];
  /** With `embedding`: [buckets][size]. */
  readonly embedding?: Float32Array;
  /** With `textEncoder`: its own. */
  readonly textEncoder?: ModelWeights;
  /** With `inputLayer`: [inputLayer][inputSize] and [inputLayer]. */
  readonly inputW?: Float32Array;
  readonly inputB?: Float32Array;
  /** [outputSize][D*H], D = directions; with `skipConnection` [outputSize][H + V], V values of v behind h. */
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

/** Directions in which a layer reads: 1, or 2 where it is bidirectional. */
export function directionsOf(spec: Pick<ModelSpec, 'bidirectional'>): 1 | 2 {
  return spec.bidirectional === true ? 2 : 1;
}

/** Values that the first recurrent layer reads, V. */
export function recurrentInputSizeOf(spec: Pick<ModelSpec, 'inputSize' | 'inputLayer'>): number {
  return spec.inputLayer ?? spec.inputSize;
}

/** Values that the head reads. */
export function headInputSizeOf(spec: ModelSpec): number {
  return directionsOf(spec) * spec.hiddenSize + (spec.skipConnection === true ? recurrentInputSizeOf(spec) : 0);
}

/**
 * float32 values of state a series: h of each layer, then (LSTM) c of each layer: [h0..h(L-1)][c0..c(L-1)], each H long. Bidirectional: each
 * layer's forward, then its reverse state in its place (the order of PyTorch's h_n).
 */
export function stateSizeOf(spec: ModelSpec): number {
  return spec.layers * directionsOf(spec) * spec.hiddenSize * (spec.cell === 'lstm' ? 2 : 1);
}
