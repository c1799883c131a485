import { type InputActivation, type Model, type ModelSpec, recurrentInputSizeOf, stateSizeOf } from '../../model.ts';
import { packHead, packInputLayer, packLayers, packPeepholes, roundUp, VECTORS } from './packed-weights.ts';

/** Words of the kernel's program, in its order (libs/nn/kernel/assembly/program.ts says what each is). Whoever changes them raises LAYOUT. */
const HEADER = [
  'layers',
  'cell',
  'hidden',
  'states',
  'stride',
  'slots',
  'inputs',
  'inputStride',
  'outputs',
  'headPlaces',
  'head',
  'rows',
  'next',
  'nextStride',
  'sums',
  'sumsStride',
  'headVectors',
  'inputLayer',
  'inputWidth',
  'projected',
  'projectedStride',
  'headWidth',
  'inputActivation',
] as const;
const ACTIVATION_NUMBERS: Readonly<Record<InputActivation, number>> = { tanh: 1, relu: 2 };
const LAYER_WORDS = 6;
const ALIGNMENT = 64;

/** The model laid out in the kernel's memory: addresses in bytes, sizes in float32 values. */
export interface Program {
  readonly address: number;
  readonly tile: number;
  readonly slots: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly headPlaces: number;
  readonly hidden: number;
  /** Where the states begin, and the bytes from one to the next. */
  readonly states: number;
  readonly stride: number;
  /** Writes program and weights; the memory reaches to `states` at least. */
  write(memory: WebAssembly.Memory): void;
}

/** Lays the model out for a kernel of `lanes` and for tiles of `tile` rows. */
export function createProgram(model: Model, lanes: number, tile: number): Program {
  const { spec } = model;
  const hidden = roundUp(spec.hiddenSize, lanes);
  const group = VECTORS * lanes;
  const layers = packLayers(model, lanes);
  const head = packHead(model, lanes);
  const inputLayer = packInputLayer(model, lanes);
  const headPlaces = roundUp(spec.outputSize, group);
  const nextStride = roundUp(hidden, group) * 4;
  const sumsStride = sumsPlaces(spec, hidden, group) * 4;
  const room = new Room();
  const address = room.take((HEADER.length + LAYER_WORDS * layers.length) * 4);
  const weights = layers.map((layer) => ({
    ...layer,
    weightsAt: room.take(layer.weights.byteLength),
    candidateAt: layer.candidate === null ? 0 : room.take(layer.candidate.byteLength),
  }));
  const peepholes = packPeepholes(model, lanes).map((floats) => ({ floats, at: room.take(floats.byteLength) }));
  const headAt = room.take(head.byteLength);
  const inputLayerAt = inputLayer === null ? 0 : room.take(inputLayer.byteLength);
  const projectedStride = roundUp(spec.inputLayer ?? 0, group) * 4;
  const slots = room.take(tile * 4);
  const inputs = room.take(tile * spec.inputSize * 4);
  const outputs = room.take(tile * headPlaces * 4);
  const projected = room.take(tile * projectedStride);
  const rows = room.take(tile * 16);
  const next = room.take(2 * tile * nextStride);
  const sums = room.take(tile * sumsStride);
  const states = room.end;
  const stride = slotStride(spec, hidden);
  const header: Record<(typeof HEADER)[number], number> = {
    ...{
      layers: spec.layers,
      cell: cellNumber(spec),
      hidden,
      states,
      stride,
      slots,
      inputs,
      inputStride: spec.inputSize * 4,
    },
    ...{ outputs, headPlaces, head: headAt, headVectors: Math.ceil(spec.outputSize / lanes) },
    ...{ rows, next, nextStride, sums, sumsStride },
    ...{ inputLayer: inputLayerAt, inputWidth: spec.inputSize, projected, projectedStride },
    ...{ headWidth: headWidthOf(spec), inputActivation: ACTIVATION_NUMBERS[spec.inputActivation ?? 'tanh'] },
  };
  const words = [
    ...HEADER.map((name) => header[name]),
    ...weights.flatMap(({ weightsAt, candidateAt, width }, l) => [
      weightsAt,
      width,
      l * hidden * 4,
      (spec.layers + l) * hidden * 4,
      peepholes[l]?.at ?? 0,
      candidateAt,
    ]),
  ];
  const write = (memory: WebAssembly.Memory): void => {
    new Uint32Array(memory.buffer, address, words.length).set(words);
    for (const layer of weights) {
      new Float32Array(memory.buffer, layer.weightsAt, layer.weights.length).set(layer.weights);
      if (layer.candidate !== null)
        new Float32Array(memory.buffer, layer.candidateAt, layer.candidate.length).set(layer.candidate);
    }
    for (const { floats, at } of peepholes) new Float32Array(memory.buffer, at, floats.length).set(floats);
    new Float32Array(memory.buffer, headAt, head.length).set(head);
    if (inputLayer !== null) new Float32Array(memory.buffer, inputLayerAt, inputLayer.length).set(inputLayer);
  };
  return { address, tile, slots, inputs, outputs, headPlaces, hidden, states, stride, write };
}

const headWidthOf = (spec: ModelSpec): number => (spec.skipConnection ? recurrentInputSizeOf(spec) : 0);

function cellNumber({ cell, gruReset = 'after' }: ModelSpec): number {
  if (cell === 'gru') return gruReset === 'after' ? 2 : 3;
  return cell === 'lstm' ? 1 : 0;
}

/** Floats of sums a row: all gates of a layer, for a run; r, z, r * h and n for a GRU with the reset before. */
function sumsPlaces({ cell, gruReset = 'after' }: ModelSpec, hidden: number, group: number): number {
  if (cell === 'gru' && gruReset === 'before') return roundUp(2 * hidden, group) + hidden + roundUp(hidden, group);
  return VECTORS * hidden;
}

/**
 * Bytes from one slot's state to the next. A power of two would put the same h of every slot into the same few sets of the cache: one line more spreads them.
 */
function slotStride(spec: ModelSpec, hidden: number): number {
  const bytes = roundUp((stateSizeOf(spec) / spec.hiddenSize) * hidden * 4, ALIGNMENT);
  return bytes % 512 === 0 ? bytes + ALIGNMENT : bytes;
}

/** Gives out addresses one after the other, each on a line of the cache. */
class Room {
  // Address 0 means 'none' to the kernel.
  end = ALIGNMENT;

  take(bytes: number): number {
    const at = this.end;
    this.end = roundUp(at + bytes, ALIGNMENT);
    return at;
  }
}
