import { createHash } from 'node:crypto';
import { feedbackSizeOf } from './heads/read-head.ts';
import {
  directionsOf,
  GATES,
  headInputSizeOf,
  type LayerWeights,
  type Model,
  type ModelSpec,
  type ModelWeights,
  recurrentInputSizeOf,
} from './model.ts';
import { ModelError } from './model-error.ts';
import { assertSpec, familyOf, plainOf, textEncoderSpecOf } from './spec.ts';

export { assertSpec } from './spec.ts';

/** Before the names of a text encoder's tensors. */
const TEXT_ENCODER_PREFIX = 'text_encoder.';

/** A weight tensor's name (PyTorch's state_dict names) and shape, in file order. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Where a layer keeps a tensor, and the tensor's name before `_l0`. */
interface LayerPart extends TensorShape {
  readonly field: keyof LayerWeights;
}

/** The tensors of one layer that reads `inputSize` values. PyTorch has no names for peepholes (i, f, o) and gains: they are ours. */
function layerParts(spec: ModelSpec, inputSize: number): LayerPart[] {
  const { cell, hiddenSize: n } = spec;
  const rows = GATES[cell] * n;
  const parts: LayerPart[] = [
    { field: 'wIh', name: 'weight_ih', shape: [rows, inputSize] },
    { field: 'wHh', name: 'weight_hh', shape: [rows, n] },
    { field: 'bIh', name: 'bias_ih', shape: [rows] },
    { field: 'bHh', name: 'bias_hh', shape: [rows] },
  ];
  if (spec.peephole) parts.push({ field: 'peephole', name: 'weight_p', shape: [3 * n] });
  if (!spec.layerNorm) return parts;
  if (cell === 'rnn') return [...parts, { field: 'normSum', name: 'norm_sum', shape: [n] }];
  parts.push({ field: 'normIh', name: 'norm_ih', shape: [rows] }, { field: 'normHh', name: 'norm_hh', shape: [rows] });
  if (cell === 'lstm')
    parts.push(
      { field: 'normC', name: 'norm_c', shape: [n] },
      { field: 'normCShift', name: 'norm_c_shift', shape: [n] },
    );
  return parts;
}

/** One layer in one direction: the parts with their whole names. */
type LayerPlace = readonly LayerPart[];

/** The layers of the network itself: layer by layer, forward before reverse. */
function layerPlaces(spec: ModelSpec): LayerPlace[] {
  const directions = directionsOf(spec);
  return Array.from({ length: spec.layers * directions }, (_, place) => {
    const layer = Math.floor(place / directions);
    const suffix = `_l${layer}${place % directions === 1 ? '_reverse' : ''}`;
    const inputSize = layer === 0 ? recurrentInputSizeOf(spec) : directions * spec.hiddenSize;
    return layerParts(spec, inputSize).map((part) => ({ ...part, name: part.name + suffix }));
  });
}

function decoderPlaces(spec: ModelSpec): LayerPlace[] {
  if (spec.decoder === undefined) return [];
  const first = decoderInputSizeOf(spec);
  return Array.from({ length: spec.layers }, (_, layer) =>
    layerParts(spec, layer === 0 ? first : spec.hiddenSize).map((part) => ({
      ...part,
      name: `decoder.${part.name}_l${layer}`,
    })),
  );
}

/** Values that each decoder step reads: [output before][known ahead][summary of the encoder]. 0 where there is no decoder. */
export function decoderInputSizeOf(spec: ModelSpec): number {
  if (spec.decoder === undefined) return 0;
  const { knownSize = 0, summaryEachStep = false } = spec.decoder;
  return feedbackSizeOf(spec) + knownSize + (summaryEachStep ? spec.hiddenSize : 0);
}

/** Every tensor of a model of this spec, in the order of the weights file. */
export function tensorShapes(spec: ModelSpec): TensorShape[] {
  const layers = [...layerPlaces(spec), ...decoderPlaces(spec)].flat().map(({ name, shape }) => ({ name, shape }));
  return [
    ...layers,
    ...embeddingShapes(spec),
    ...inputShapes(spec),
    { name: 'head.weight', shape: [spec.outputSize, headInputSizeOf(spec)] },
    { name: 'head.bias', shape: [spec.outputSize] },
    ...textEncoderShapes(spec),
  ];
}

function textEncoderShapes(spec: ModelSpec): TensorShape[] {
  const encoder = textEncoderSpecOf(spec);
  if (encoder === null) return [];
  return tensorShapes(encoder).map(({ name, shape }) => ({ name: TEXT_ENCODER_PREFIX + name, shape }));
}

function embeddingShapes({ embedding }: ModelSpec): TensorShape[] {
  return embedding === undefined ? [] : [{ name: 'embedding.weight', shape: [embedding.buckets, embedding.size] }];
}

function inputShapes({ inputLayer, inputSize }: ModelSpec): TensorShape[] {
  if (inputLayer === undefined) return [];
  return [
    { name: 'input.weight', shape: [inputLayer, inputSize] },
    { name: 'input.bias', shape: [inputLayer] },
  ];
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The order of a layer's tensors in the file. */
const LAYER_FIELDS = [
  ...['wIh', 'wHh', 'bIh', 'bHh', 'peephole', 'normSum', 'normIh', 'normHh', 'normC', 'normCShift'],
] as readonly (keyof LayerWeights)[];

/** The weights as tensors, in the order of `tensorShapes`. */
export function tensorsOf(weights: ModelWeights): Float32Array[] {
  const layers = [...weights.layers, ...(weights.decoder ?? [])].flatMap((layer) =>
    LAYER_FIELDS.map((field) => layer[field]).filter((tensor) => tensor !== undefined),
  );
  const { embedding, inputW, inputB, headW, headB, textEncoder } = weights;
  const before = [embedding, inputW, inputB].filter((tensor) => tensor !== undefined);
  return [...layers, ...before, headW, headB, ...(textEncoder === undefined ? [] : tensorsOf(textEncoder))];
}

/** The tensors as weights. */
export function weightsOf(spec: ModelSpec, tensors: readonly Float32Array[]): ModelWeights {
  let at = 0;
  const take = (places: readonly LayerPlace[]): LayerWeights[] =>
    places.map((parts) => {
      const layer = Object.fromEntries(parts.map(({ field }, i) => [field, tensors[at + i]]));
      at += parts.length;
      return layer as unknown as LayerWeights;
    });
  const layers = take(layerPlaces(spec));
  const decoder = take(decoderPlaces(spec));
  const embedding = spec.embedding === undefined ? {} : { embedding: tensors[at++] };
  const input = spec.inputLayer === undefined ? {} : { inputW: tensors[at++], inputB: tensors[at++] };
  const [headW, headB, ...behind] = tensors.slice(at);
  const encoder = textEncoderSpecOf(spec);
  const text = encoder === null ? {} : { textEncoder: weightsOf(encoder, behind) };
  return { layers, ...(spec.decoder ? { decoder } : {}), ...embedding, ...input, headW, headB, ...text };
}

/** A model whose spec and weights agree. Throws ModelError that names the first field or tensor that does not. */
export function createModel(spec: ModelSpec, weights: ModelWeights): Model {
  assertSpec(spec);
  assertParts(spec, weights);
  const tensors = tensorsOf(weights);
  tensorShapes(spec).forEach(({ name, shape }, i) => {
    const tensor = tensors[i];
    const expected = elementCount(shape);
    if (tensor?.length !== expected)
      throw new ModelError(
        `Model '${spec.name}': tensor ${name} has ${tensor?.length ?? 'no'} values, its shape [${shape.join(', ')}] needs ${expected}. Check the spec's sizes.`,
      );
    const bad = tensor.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1)
      throw new ModelError(
        `Model '${spec.name}': tensor ${name} holds ${tensor[bad]} at index ${bad}. Train or import it again.`,
      );
  });
  return { spec, weights, digest: digestOf(spec, tensors) };
}

/** Every layer has the tensors that the spec says, and no other: a peephole that nobody reads is a mistake somewhere. */
function assertParts(spec: ModelSpec, weights: ModelWeights): void {
  for (const field of ['inputW', 'inputB'] as const)
    if ((weights[field] === undefined) !== (spec.inputLayer === undefined))
      throw new ModelError(
        `Model '${spec.name}': its weights ${weights[field] === undefined ? 'lack' : 'have'} '${field}', its spec says otherwise. Check inputLayer.`,
      );
  if ((weights.embedding === undefined) !== (spec.embedding === undefined))
    throw new ModelError(
      `Model '${spec.name}': its weights ${weights.embedding === undefined ? 'lack' : 'have'} 'embedding', its spec says otherwise. Check embedding.`,
    );
  if ((weights.textEncoder === undefined) !== (spec.textEncoder === undefined))
    throw new ModelError(
      `Model '${spec.name}': its weights ${weights.textEncoder === undefined ? 'lack' : 'have'} 'textEncoder', its spec says otherwise. Check textEncoder.`,
    );
  const encoder = textEncoderSpecOf(spec);
  if (encoder !== null && weights.textEncoder !== undefined) assertParts(encoder, weights.textEncoder);
  const groups = [
    ['layers', layerPlaces(spec), weights.layers],
    ['decoder', decoderPlaces(spec), weights.decoder ?? []],
  ] as const;
  for (const [group, places, layers] of groups) {
    if (places.length !== layers.length)
      throw new ModelError(
        `Model '${spec.name}': its weights have ${layers.length} ${group}, its spec needs ${places.length}. Check the spec's sizes.`,
      );
    places.forEach((parts, i) => {
      const wrong = LAYER_FIELDS.find(
        (field) => (layers[i][field] !== undefined) !== parts.some((part) => part.field === field),
      );
      if (wrong === undefined) return;
      const state = layers[i][wrong] === undefined ? 'lack' : 'have';
      throw new ModelError(
        `Model '${spec.name}': weights of ${group} ${i} ${state} '${wrong}', its spec says otherwise. Check peephole and layerNorm.`,
      );
    });
  }
}

/**
 * SHA-256 over the spec's numbers and the weights; the name does not count: a renamed model keeps its states. What is beyond the plain form
 * is appended only where it is there, so that the digests of plain models stay.
 */
function digestOf(spec: ModelSpec, tensors: readonly Float32Array[]): string {
  const family = familyOf(spec);
  const hash = createHash('sha256');
  const plain = plainOf(spec);
  hash.update(JSON.stringify(Object.keys(family).length === 0 ? plain : [...plain, family]));
  for (const tensor of tensors) hash.update(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength));
  return hash.digest('hex');
}

/** Of a trained table's first entries: small against the other inputs, so that a rare n-gram begins as little. */
const EMBEDDING_BOUND = 0.15;

/**
 * Uniform initial weights in +-1/sqrt(H), PyTorch's default (+-1/sqrt(I) in the input layer), from `random` in [0, 1); gains of layer norm start at 1
 * and its shift at 0. An LSTM's forget gate starts open (bias 1), after Jozefowicz et al., "An Empirical Exploration of Recurrent Network Architectures", 2015.
 */
export function initWeights(spec: ModelSpec, random: () => number): ModelWeights {
  assertSpec(spec);
  const encoder = textEncoderSpecOf(spec);
  if (encoder !== null) {
    const { textEncoder: _, ...own } = spec;
    return { ...initWeights(own, random), textEncoder: initWeights(encoder, random) };
  }
  const bound = 1 / Math.sqrt(spec.hiddenSize);
  const tensors = tensorShapes(spec).map(({ name, shape }) => {
    const tensor = new Float32Array(elementCount(shape));
    if (name.startsWith('input.')) return tensor.map(() => (random() * 2 - 1) / Math.sqrt(spec.inputSize));
    if (name.startsWith('embedding.')) return tensor.map(() => (random() * 2 - 1) * EMBEDDING_BOUND);
    if (/norm_/.test(name)) return tensor.fill(name.includes('shift') ? 0 : 1);
    return tensor.map(() => (random() * 2 - 1) * bound);
  });
  const weights = weightsOf(spec, tensors);
  if (spec.cell === 'lstm')
    for (const layer of [...weights.layers, ...(weights.decoder ?? [])])
      layer.bIh.fill(1, spec.hiddenSize, 2 * spec.hiddenSize);
  return weights;
}
