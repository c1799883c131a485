import { createHash } from 'node:crypto';
import { GATES, type LayerWeights, type Model, type ModelSpec, type ModelWeights } from './model.ts';
import { ModelError } from './model-error.ts';

/** A weight tensor's name (PyTorch's state_dict names) and shape, in file order. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

const SIZE_MAX = 65_536;

/** Every tensor of a model of this spec, in the order of the weights file. */
export function tensorShapes(spec: ModelSpec): TensorShape[] {
  const rows = GATES[spec.cell] * spec.hiddenSize;
  const layers = Array.from({ length: spec.layers }, (_, layer) => [
    { name: `weight_ih_l${layer}`, shape: [rows, layer === 0 ? spec.inputSize : spec.hiddenSize] },
    { name: `weight_hh_l${layer}`, shape: [rows, spec.hiddenSize] },
    { name: `bias_ih_l${layer}`, shape: [rows] },
    { name: `bias_hh_l${layer}`, shape: [rows] },
  ]).flat();
  return [
    ...layers,
    { name: 'head.weight', shape: [spec.outputSize, spec.hiddenSize] },
    { name: 'head.bias', shape: [spec.outputSize] },
  ];
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The weights as tensors, in the order of `tensorShapes`. */
export function tensorsOf(weights: ModelWeights): Float32Array[] {
  return [
    ...weights.layers.flatMap((layer) => [layer.wIh, layer.wHh, layer.bIh, layer.bHh]),
    weights.headW,
    weights.headB,
  ];
}

/** The tensors as weights. */
export function weightsOf(spec: ModelSpec, tensors: readonly Float32Array[]): ModelWeights {
  const layers: LayerWeights[] = Array.from({ length: spec.layers }, (_, layer) => {
    const [wIh, wHh, bIh, bHh] = tensors.slice(layer * 4, layer * 4 + 4);
    return { wIh, wHh, bIh, bHh };
  });
  return { layers, headW: tensors[spec.layers * 4], headB: tensors[spec.layers * 4 + 1] };
}

/** A model whose spec and weights agree. Throws ModelError that names the first field or tensor that does not. */
export function createModel(spec: ModelSpec, weights: ModelWeights): Model {
  assertSpec(spec);
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

/** Throws ModelError that names the first field that no model can have. */
export function assertSpec(spec: ModelSpec): void {
  if (typeof spec.name !== 'string' || spec.name === '')
    throw new ModelError(`A model's name is ${JSON.stringify(spec.name)}, must be a text that is not empty.`);
  if (!Object.hasOwn(GATES, spec.cell))
    throw new ModelError(
      `Model '${spec.name}': cell is '${spec.cell}', must be one of ${Object.keys(GATES).join(', ')}.`,
    );
  for (const field of ['inputSize', 'hiddenSize', 'layers', 'outputSize'] as const) {
    const value = spec[field];
    if (!Number.isInteger(value) || value < 1 || value > SIZE_MAX)
      throw new ModelError(`Model '${spec.name}': ${field} is ${value}, must be a whole number from 1 to ${SIZE_MAX}.`);
  }
  if (spec.gruReset !== undefined && spec.gruReset !== 'after' && spec.gruReset !== 'before')
    throw new ModelError(`Model '${spec.name}': gruReset is '${spec.gruReset}', must be 'after' or 'before'.`);
}

/** SHA-256 over the spec's numbers and the weights; the name does not count: a renamed model keeps its states. */
function digestOf(spec: ModelSpec, tensors: readonly Float32Array[]): string {
  const { cell, inputSize, hiddenSize, layers, outputSize, gruReset = 'after' } = spec;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([cell, inputSize, hiddenSize, layers, outputSize, cell === 'gru' ? gruReset : '']));
  for (const tensor of tensors) hash.update(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength));
  return hash.digest('hex');
}

/**
 * Uniform initial weights in +-1/sqrt(H), PyTorch's default, from `random` in [0, 1). An LSTM's forget gate starts open (bias 1), after
 * Jozefowicz et al., "An Empirical Exploration of Recurrent Network Architectures", 2015.
 */
export function initWeights(spec: ModelSpec, random: () => number): ModelWeights {
  assertSpec(spec);
  const bound = 1 / Math.sqrt(spec.hiddenSize);
  const tensors = tensorShapes(spec).map(({ shape }) =>
    Float32Array.from({ length: elementCount(shape) }, () => (random() * 2 - 1) * bound),
  );
  const weights = weightsOf(spec, tensors);
  if (spec.cell === 'lstm') for (const layer of weights.layers) layer.bIh.fill(1, spec.hiddenSize, 2 * spec.hiddenSize);
  return weights;
}
