import { GATES, headInputSizeOf, type LayerWeights, type Model, recurrentInputSizeOf } from '../../model.ts';

/** Places that a group of the kernel sums at once: 4 vectors. */
export const VECTORS = 4;

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** One layer's weights in the kernel's order, and the inputs that the kernel reads. */
export interface PackedLayer {
  readonly weights: Float32Array;
  /** GRU with the reset before the product: the candidate's own weights. */
  readonly candidate: Float32Array | null;
  readonly width: number;
}

/**
 * All layers of the model for vectors of `lanes`. A group of places is one row of weights for the bias, then one for each input, then one for each h:
 * LSTM and GRU `lanes` units of each gate, affine layers 4 * `lanes` places. The inputs of an upper layer are the padded h of the layer below.
 */
export function packLayers(model: Model, lanes: number): PackedLayer[] {
  const { cell, hiddenSize, gruReset = 'after' } = model.spec;
  const hidden = roundUp(hiddenSize, lanes);
  return model.weights.layers.map((layer, l) => {
    const columns = l === 0 ? recurrentInputSizeOf(model.spec) : hiddenSize;
    const matrix: Matrix = { layer, hiddenSize, columns, width: l === 0 ? columns : hidden, hidden, lanes };
    const { width } = matrix;
    if (cell === 'lstm') return { weights: packGates(matrix, GATES.lstm, false), candidate: null, width };
    if (cell === 'rnn') return { weights: packAffine(matrix, [0], hiddenSize), candidate: null, width };
    if (gruReset === 'after') return { weights: packGates(matrix, GATES.gru, true), candidate: null, width };
    return { weights: packAffine(matrix, [0, 1], hidden), candidate: packAffine(matrix, [2], hiddenSize), width };
  });
}

/** The layer before the first recurrent one, as an affine layer over the inputs; null where there is none. */
export function packInputLayer({ spec, weights }: Model, lanes: number): Float32Array | null {
  const { inputLayer, inputSize } = spec;
  const { inputW, inputB } = weights;
  if (inputLayer === undefined || !inputW || !inputB) return null;
  const group = VECTORS * lanes;
  const writer = new PlaceWriter(roundUp(inputLayer, group) * (1 + inputSize));
  for (let at = 0; at < inputLayer; at += group) {
    writer.places(at, group, (place) => (place < inputLayer ? inputB[place] : 0));
    for (let k = 0; k < inputSize; k += 1)
      writer.places(at, group, (place) => (place < inputLayer ? inputW[place * inputSize + k] : 0));
  }
  return writer.floats;
}

/** The head as an affine layer over what it reads besides (with `skipConnection`: v), then over the last h. */
export function packHead(model: Model, lanes: number): Float32Array {
  const { hiddenSize, outputSize } = model.spec;
  const { headW, headB } = model.weights;
  const hidden = roundUp(hiddenSize, lanes);
  const group = VECTORS * lanes;
  const size = headInputSizeOf(model.spec);
  const beside = size - hiddenSize;
  const writer = new PlaceWriter(roundUp(outputSize, group) * (1 + beside + hidden));
  for (let at = 0; at < outputSize; at += group) {
    writer.places(at, group, (place) => (place < outputSize ? headB[place] : 0));
    for (let k = 0; k < beside; k += 1)
      writer.places(at, group, (place) => (place < outputSize ? headW[place * size + hiddenSize + k] : 0));
    for (let k = 0; k < hidden; k += 1)
      writer.places(at, group, (place) => (place < outputSize && k < hiddenSize ? headW[place * size + k] : 0));
  }
  return writer.floats;
}

/** [layers][3][hidden] diagonal weights i, f, o of an LSTM with peepholes; none for others. */
export function packPeepholes(model: Model, lanes: number): Float32Array[] {
  const { hiddenSize } = model.spec;
  const hidden = roundUp(hiddenSize, lanes);
  return model.weights.layers.flatMap(({ peephole }) => {
    if (peephole === undefined) return [];
    const writer = new PlaceWriter(3 * hidden);
    for (let gate = 0; gate < 3; gate += 1)
      writer.places(0, hidden, (unit) => (unit < hiddenSize ? peephole[gate * hiddenSize + unit] : 0));
    return [writer.floats];
  });
}

interface Matrix {
  readonly layer: LayerWeights;
  readonly hiddenSize: number;
  /** Inputs that have weights, and those that the kernel reads. */
  readonly columns: number;
  readonly width: number;
  readonly hidden: number;
  readonly lanes: number;
}

/** Blocks of `lanes` units: the gates side by side. A GRU's bias row has a fourth place: b_hn stays apart, the reset gate stands before it. */
function packGates(matrix: Matrix, gates: number, gru: boolean): Float32Array {
  const { width, hidden, lanes } = matrix;
  const writer = new PlaceWriter(hidden * (VECTORS + gates * (width + hidden)));
  for (let unit = 0; unit < hidden; unit += lanes) {
    for (let gate = 0; gate < VECTORS; gate += 1)
      writer.places(unit, lanes, (u) => (gru && gate > 1 ? candidateBias(matrix, gate, u) : bias(matrix, gate, u)));
    for (let k = 0; k < width + hidden; k += 1)
      for (let gate = 0; gate < gates; gate += 1) writer.places(unit, lanes, (u) => weight(matrix, gate, u, k));
  }
  return writer.floats;
}

/** Groups of 4 vectors over the units of `gates` one after the other, each `stride` places long. */
function packAffine(matrix: Matrix, gates: readonly number[], stride: number): Float32Array {
  const { width, hidden, lanes } = matrix;
  const places = gates.length * stride;
  const group = VECTORS * lanes;
  const writer = new PlaceWriter(roundUp(places, group) * (1 + width + hidden));
  const of = (place: number, read: (gate: number, unit: number) => number): number =>
    place < places ? read(gates[Math.floor(place / stride)], place % stride) : 0;
  for (let at = 0; at < places; at += group) {
    writer.places(at, group, (place) => of(place, (gate, unit) => bias(matrix, gate, unit)));
    for (let k = 0; k < width + hidden; k += 1)
      writer.places(at, group, (place) => of(place, (gate, unit) => weight(matrix, gate, unit, k)));
  }
  return writer.floats;
}

/** Weight of column k: the inputs, then h; padded units and columns are 0. */
function weight({ layer, hiddenSize, columns, width }: Matrix, gate: number, unit: number, k: number): number {
  const row = gate * hiddenSize + unit;
  if (unit >= hiddenSize) return 0;
  if (k < width) return k < columns ? layer.wIh[row * columns + k] : 0;
  return k - width < hiddenSize ? layer.wHh[row * hiddenSize + k - width] : 0;
}

/** Both biases as one float32. */
function bias({ layer, hiddenSize }: Matrix, gate: number, unit: number): number {
  const row = gate * hiddenSize + unit;
  return unit < hiddenSize ? layer.bIh[row] + layer.bHh[row] : 0;
}

function candidateBias({ layer, hiddenSize }: Matrix, place: number, unit: number): number {
  if (unit >= hiddenSize) return 0;
  return place === 2 ? layer.bIh[2 * hiddenSize + unit] : layer.bHh[2 * hiddenSize + unit];
}

/** Writes the weights one after the other. */
class PlaceWriter {
  readonly floats: Float32Array;
  #at = 0;

  constructor(size: number) {
    this.floats = new Float32Array(size);
  }

  places(first: number, count: number, value: (place: number) => number): void {
    for (let place = first; place < first + count; place += 1) {
      this.floats[this.#at] = value(place);
      this.#at += 1;
    }
  }
}
