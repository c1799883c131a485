import { isDeepStrictEqual } from 'node:util';
import { GATES, type LayerWeights, type Model, type ModelSpec, type ModelWeights } from './model.ts';
import { ModelError } from './model-error.ts';
import { familyOf } from './spec.ts';
import { createModel } from './tensors.ts';

/** What a spec may have beyond the plain form and still be merged: parts that work unit by unit. */
const SEPARABLE = new Set([
  ...['inputLayer', 'inputActivation', 'skipConnection', 'peephole', 'embedding', 'textEncoder', 'sentenceEncoder'],
]);

/**
 * One model whose outputs are the means of its members' outputs: their networks side by side, weights between members 0, the heads divided by their number.
 * The means are those before a head of classes or quantiles reads them, so of classes the geometric mean. An ensemble (L. Hansen, P. Salamon, "Neural Network
 * Ensembles", 1990) so has one state a series and runs wherever a model runs, with k times the state and k^2 times the products of a member. Members with a
 * trained table have one table, each entry the values of all; text and sentence encoder are the same in all. Throws ModelError where members differ in shape or
 * text encoder, or have parts that cannot stand side by side.
 */
export function mergeMembers(name: string, members: readonly Model[]): Model {
  if (members.length === 0) throw new ModelError(`Ensemble '${name}': it has no members. Give one at least.`);
  const [{ spec: one }] = members;
  const other = members.findIndex(({ spec }) => !isDeepStrictEqual({ ...spec, name: '' }, { ...one, name: '' }));
  if (other !== -1)
    throw new ModelError(`Ensemble '${name}': member ${other + 1} has another shape than the first. Train all alike.`);
  const isSeparable = (field: string): boolean =>
    field === 'head' ? (one.head?.scope ?? 'per-step') === 'per-step' : SEPARABLE.has(field);
  const part = Object.keys(familyOf(one)).find((field) => !isSeparable(field));
  if (part !== undefined)
    throw new ModelError(
      `Ensemble '${name}': members with ${part === 'head' ? 'head.scope' : part} cannot stand side by side. Leave it out.`,
    );
  const encoders = members.map(({ weights }) => weights.textEncoder);
  if (encoders.some((encoder) => !isDeepStrictEqual(encoder, encoders[0])))
    throw new ModelError(`Ensemble '${name}': its members have different text encoders. Train them with one.`);
  if (members.length === 1) return createModel({ ...one, name }, members[0].weights);
  const k = members.length;
  const { hiddenSize: h, inputLayer, embedding } = one;
  const spec: ModelSpec = {
    ...{ ...one, name, hiddenSize: k * h },
    ...(inputLayer === undefined ? {} : { inputLayer: k * inputLayer }),
    ...(embedding === undefined
      ? {}
      : { embedding: { ...embedding, size: k * embedding.size }, inputSize: one.inputSize + (k - 1) * embedding.size }),
  };
  const parts = members.map(({ weights }, m) => besideOthers(one, weights, m, k));
  return createModel(spec, {
    layers: parts[0].layers.map((_, l) =>
      mergeLayers(
        one,
        parts.map(({ layers }) => layers[l]),
        l > 0 || inputLayer !== undefined,
      ),
    ),
    ...mergedInput(one, parts),
    ...mergedHead(one, parts),
    ...mergedTable(one, parts),
    ...(encoders[0] === undefined ? {} : { textEncoder: encoders[0] }),
  });
}

/**
 * The member's weights with its matrices over the inputs as wide as those of all: the stream's own inputs first, which all read, then the values of each
 * member's table, of which it reads its own.
 */
function besideOthers(one: ModelSpec, weights: ModelWeights, m: number, k: number): ModelWeights {
  const { embedding, hiddenSize: h, inputLayer, inputSize, outputSize, skipConnection } = one;
  if (embedding === undefined) return weights;
  const { size } = embedding;
  const own = inputSize - size;
  const width = own + k * size;
  const widened = (matrix: Float32Array, lead: number): Float32Array => {
    const rows = matrix.length / (lead + inputSize);
    const wide = new Float32Array(rows * (lead + width));
    for (let row = 0; row < rows; row += 1) {
      const from = row * (lead + inputSize);
      const to = row * (lead + width);
      wide.set(matrix.subarray(from, from + lead + own), to);
      wide.set(matrix.subarray(from + lead + own, from + lead + inputSize), to + lead + own + m * size);
    }
    return wide;
  };
  if (inputLayer !== undefined) return { ...weights, inputW: widened(weights.inputW ?? new Float32Array(0), 0) };
  const [first, ...others] = weights.layers;
  const layers = [{ ...first, wIh: widened(first.wIh, 0) }, ...others];
  const readsInputs = skipConnection === true && weights.headW.length === outputSize * (h + inputSize);
  return { ...weights, layers, ...(readsInputs ? { headW: widened(weights.headW, h) } : {}) };
}

/** Each entry of the table: the values of the first member, of the second, and so on. */
function mergedTable({ embedding }: ModelSpec, parts: readonly ModelWeights[]): Partial<ModelWeights> {
  if (embedding === undefined) return {};
  const tables = parts.map((weights) => weights.embedding ?? new Float32Array(0));
  const shape = { blocks: embedding.buckets, rows: embedding.size, columns: 1, isApart: false };
  return { embedding: stacked(tables, shape) };
}

/** `isApart`: each member's layer reads values of its own; else all read the same inputs. */
function mergeLayers(one: ModelSpec, layers: readonly LayerWeights[], isApart: boolean): LayerWeights {
  const { cell, hiddenSize } = one;
  const gates = GATES[cell];
  const rows = (field: 'bIh' | 'bHh', blocks: number): Float32Array =>
    stacked(
      layers.map((layer) => layer[field]),
      { blocks, rows: hiddenSize, columns: 1, isApart: false },
    );
  const peepholes = layers.flatMap(({ peephole }) => (peephole === undefined ? [] : [peephole]));
  const shape = { blocks: gates, rows: hiddenSize };
  const wIh = layers.map((layer) => layer.wIh);
  const inputs = wIh[0].length / (gates * hiddenSize);
  return {
    wIh: stacked(wIh, { ...shape, columns: inputs, isApart }),
    wHh: stacked(
      layers.map(({ wHh }) => wHh),
      { ...shape, columns: hiddenSize, isApart: true },
    ),
    ...{ bIh: rows('bIh', gates), bHh: rows('bHh', gates) },
    ...(peepholes.length === 0
      ? {}
      : { peephole: stacked(peepholes, { blocks: 3, rows: hiddenSize, columns: 1, isApart: false }) }),
  };
}

function mergedInput({ inputLayer }: ModelSpec, parts: readonly ModelWeights[]): Partial<ModelWeights> {
  if (inputLayer === undefined) return {};
  const of = (field: 'inputW' | 'inputB'): Float32Array => {
    const matrices = parts.map((weights) => weights[field] ?? new Float32Array(0));
    const columns = matrices[0].length / inputLayer;
    return stacked(matrices, { blocks: 1, rows: inputLayer, columns, isApart: false });
  };
  return { inputW: of('inputW'), inputB: of('inputB') };
}

/** A head reads [h of all members][v of all members]; without an input layer v is the inputs, which all share. */
function mergedHead(one: ModelSpec, parts: readonly ModelWeights[]): Pick<ModelWeights, 'headW' | 'headB'> {
  const { outputSize, hiddenSize: h, inputLayer } = one;
  const k = parts.length;
  const reads = parts[0].headW.length / outputSize;
  const beside = reads - h;
  const besides = inputLayer === undefined ? beside : k * beside;
  const headW = new Float32Array(outputSize * (k * h + besides));
  const headB = new Float32Array(outputSize);
  parts.forEach(({ headW: w, headB: b }, m) => {
    for (let o = 0; o < outputSize; o += 1) {
      const row = o * (k * h + besides);
      for (let i = 0; i < h; i += 1) headW[row + m * h + i] = w[o * reads + i] / k;
      const at = row + k * h + (inputLayer === undefined ? 0 : m * beside);
      for (let i = 0; i < beside; i += 1) headW[at + i] += w[o * reads + h + i] / k;
      headB[o] += b[o] / k;
    }
  });
  return { headW, headB };
}

interface Stack {
  /** Of rows, each with all members one after another: the gates. */
  readonly blocks: number;
  readonly rows: number;
  readonly columns: number;
  /** Each member has columns of its own, 0 for the others. */
  readonly isApart: boolean;
}

/** Matrices [blocks][rows][columns] of all members as one, [blocks][members][rows][columns, or members * columns]. */
function stacked(matrices: readonly Float32Array[], { blocks, rows, columns, isApart }: Stack): Float32Array {
  const k = matrices.length;
  const width = isApart ? k * columns : columns;
  const all = new Float32Array(blocks * k * rows * width);
  matrices.forEach((matrix, m) => {
    for (let block = 0; block < blocks; block += 1)
      for (let row = 0; row < rows; row += 1) {
        const from = (block * rows + row) * columns;
        const to = ((block * k + m) * rows + row) * width + (isApart ? m * columns : 0);
        all.set(matrix.subarray(from, from + columns), to);
      }
  });
  return all;
}
