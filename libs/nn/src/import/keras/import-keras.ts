/**
 * Keras models in TensorFlow.js layers format (model.json and its shards).
 *
 * Keras keeps kernels as [I][G*H] and [H][G*H] (x W + b), gates i, f, c, o (LSTM) and z, r, h (GRU), and one bias, or two rows of it for a GRU
 * with reset_after. Its GRU is h' = z h + (1 - z) hh, so z means the same as here.
 */
import { type CellKind, GATES, type GruReset, type LayerWeights } from '../../model.ts';
import { ImportError } from '../import-error.ts';
import { type ImportedWeights, identityHead, LAST_STEP_NOTE, NO_HEAD_NOTE } from '../imported-weights.ts';
import type { SourceTensor } from '../source-tensor.ts';
import { type KerasLayer, layersOf, RECURRENT_CLASSES, type RecurrentClass } from './layers.ts';
import { type ReadShard, readWeightsManifest } from './manifest.ts';

/** Our gate k is Keras's gate ORDER[k]. */
const ORDER = { rnn: [0], lstm: [0, 1, 2, 3], gru: [1, 0, 2] } as const satisfies Record<CellKind, readonly number[]>;
/** Settings with only one value that the cells here compute. */
const MUST_BE = {
  activation: 'tanh',
  recurrent_activation: 'sigmoid',
  go_backwards: false,
  time_major: false,
} as const;

interface Recurrent {
  readonly cell: CellKind;
  readonly gruReset?: GruReset;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly weights: LayerWeights;
}

/** The model that `description` (model.json) describes; `read` gives its shards. Throws ImportError that names the first layer it cannot take. */
export async function importKeras(
  description: Readonly<Record<string, unknown>>,
  options: { readonly from: string; readonly read: ReadShard },
): Promise<ImportedWeights> {
  const { from, read } = options;
  if (description.format === 'graph-model')
    throw new ImportError(
      `${from} is a TensorFlow.js graph model, whose layers are gone. Convert the Keras model with tensorflowjs_converter --output_format tfjs_layers_model.`,
    );
  const layers = layersOf(description.modelTopology, from);
  const recurrent = layers.filter((layer) => layer.className !== 'Dense');
  const dense = layers.filter((layer) => layer.className === 'Dense');
  assertShape({ layers, recurrent, dense, from });
  const tensors = await readWeightsManifest(description.weightsManifest, from, read);
  const weightsOf = (layer: KerasLayer): Weights => new Weights(layer, tensors, from);
  const parts = recurrent.map((layer) => recurrentOf(layer, weightsOf(layer)));
  const [first] = parts;
  parts.forEach((part, k) => {
    if (k > 0 && (part.cell !== first.cell || part.hiddenSize !== first.hiddenSize || part.gruReset !== first.gruReset))
      throw new ImportError(
        `${from}: layer '${recurrent[k].name}' is a ${part.cell} of ${part.hiddenSize} units, '${recurrent[0].name}' a ${first.cell} of ${first.hiddenSize}: ` +
          'all layers must be alike. Train a network of equal layers.',
      );
    if (k > 0 && part.inputSize !== first.hiddenSize)
      throw new ImportError(
        `${from}: layer '${recurrent[k].name}' reads ${part.inputSize} values, the layer before gives ${first.hiddenSize}. Convert it again.`,
      );
  });
  const notes: string[] = [];
  if (dense.length === 0) notes.push(NO_HEAD_NOTE);
  else if (recurrent.at(-1)?.config.return_sequences !== true) notes.push(LAST_STEP_NOTE);
  const { cell, inputSize, hiddenSize, gruReset } = first;
  const head = dense.length === 0 ? identityHead(hiddenSize) : headOf(dense[0], weightsOf(dense[0]), hiddenSize);
  return {
    spec: {
      cell,
      inputSize,
      hiddenSize,
      layers: parts.length,
      outputSize: head.headB.length,
      ...(gruReset && { gruReset }),
    },
    weights: { layers: parts.map(({ weights }) => weights), ...head },
    notes,
  };
}

function assertShape(model: {
  readonly layers: readonly KerasLayer[];
  readonly recurrent: readonly KerasLayer[];
  readonly dense: readonly KerasLayer[];
  readonly from: string;
}): void {
  const { layers, recurrent, dense, from } = model;
  if (recurrent.length === 0)
    throw new ImportError(`${from} has no LSTM, GRU or SimpleRNN layer. Import a recurrent model.`);
  const misplaced = layers.find((layer, i) => layer.className === 'Dense' && i !== layers.length - 1);
  if (misplaced)
    throw new ImportError(
      `${from}: the Dense layer '${misplaced.name}' is not the last one (${dense.length} Dense layers); a model has one linear head. Save it with one.`,
    );
  const short = recurrent.slice(0, -1).find((layer) => layer.config.return_sequences !== true);
  if (short)
    throw new ImportError(
      `${from}: layer '${short.name}' has return_sequences ${JSON.stringify(short.config.return_sequences)}, must be true below another recurrent layer.`,
    );
}

/** The tensors of one layer, by their last name. */
class Weights {
  readonly #layer: KerasLayer;
  readonly #from: string;
  readonly #tensors: readonly SourceTensor[];

  constructor(layer: KerasLayer, tensors: readonly SourceTensor[], from: string) {
    this.#layer = layer;
    this.#from = from;
    this.#tensors = tensors.filter(({ name }) => name.split('/').slice(0, -1).includes(layer.name));
  }

  /** The tensor, which must have one of the shapes. */
  take(name: string, ...shapes: readonly (readonly number[])[]): SourceTensor {
    const found = this.#tensors.filter((tensor) => tensor.name.replace(/:\d+$/, '').endsWith(`/${name}`));
    if (found.length !== 1)
      throw this.error(`has ${found.length} weights named '${name}'. Convert the model with its weights again`);
    const [tensor] = found;
    if (shapes.length > 0 && !shapes.some((shape) => shape.join() === tensor.shape.join()))
      throw this.error(
        `has a ${name} of shape [${tensor.shape.join(', ')}], must be [${shapes[0].join(', ')}]. Convert it again`,
      );
    return tensor;
  }

  error(what: string): ImportError {
    return new ImportError(`${this.#from}: layer '${this.#layer.name}' (${this.#layer.className}) ${what}.`);
  }
}

function recurrentOf(layer: KerasLayer, weights: Weights): Recurrent {
  const cell = RECURRENT_CLASSES[layer.className as RecurrentClass];
  const { config } = layer;
  for (const [field, must] of Object.entries(MUST_BE)) {
    const isAbsent =
      config[field] === undefined && (typeof must === 'boolean' || (cell === 'rnn' && field !== 'activation'));
    if (!isAbsent && config[field] !== must)
      throw weights.error(
        `has ${field} ${JSON.stringify(config[field])}, must be ${JSON.stringify(must)}. Train it with ${field}=${JSON.stringify(must)}`,
      );
  }
  const gates = GATES[cell];
  const kernel = weights.take('kernel');
  const hiddenSize = kernel.shape[1] / gates;
  if (kernel.shape.length !== 2 || !Number.isInteger(hiddenSize) || hiddenSize === 0 || config.units !== hiddenSize)
    throw weights.error(
      `has a kernel of shape [${kernel.shape.join(', ')}] for ${JSON.stringify(config.units)} units of ${gates} gates. Convert it again`,
    );
  const recurrent = weights.take('recurrent_kernel', [hiddenSize, gates * hiddenSize]);
  const isAfter = cell === 'gru' && config.reset_after === true;
  const width = gates * hiddenSize;
  const zeros = { name: 'bias', shape: [width], values: new Float32Array(isAfter ? 2 * width : width) };
  const bias = config.use_bias === false ? zeros : weights.take('bias', isAfter ? [2, width] : [width]);
  const reorder = (matrix: Float32Array): Float32Array => gateRows(matrix, { cell, hiddenSize });
  return {
    cell,
    ...(cell === 'gru' && { gruReset: isAfter ? 'after' : 'before' }),
    inputSize: kernel.shape[0],
    hiddenSize,
    weights: {
      wIh: reorder(kernel.values),
      wHh: reorder(recurrent.values),
      bIh: reorder(bias.values.subarray(0, width)),
      bHh: isAfter ? reorder(bias.values.subarray(width)) : new Float32Array(width),
    },
  };
}

/** [K][G*H] with Keras's gates to [G*H][K] with ours. */
function gateRows(
  kernel: Float32Array,
  options: { readonly cell: CellKind; readonly hiddenSize: number },
): Float32Array {
  const { cell, hiddenSize } = options;
  const width = GATES[cell] * hiddenSize;
  const columns = kernel.length / width;
  return Float32Array.from(kernel, (_, at) => {
    const row = Math.floor(at / columns);
    const gate = ORDER[cell][Math.floor(row / hiddenSize)];
    return kernel[(at % columns) * width + gate * hiddenSize + (row % hiddenSize)];
  });
}

function headOf(
  layer: KerasLayer,
  weights: Weights,
  hiddenSize: number,
): { readonly headW: Float32Array; readonly headB: Float32Array } {
  const { activation = 'linear', units, use_bias: hasBias } = layer.config;
  if (activation !== 'linear')
    throw weights.error(
      `has activation ${JSON.stringify(activation)}, must be "linear". Save the model with a linear head, up to its logits`,
    );
  const kernel = weights.take('kernel', [hiddenSize, Number(units)]);
  const outputs = kernel.shape[1];
  const headW = Float32Array.from(
    kernel.values,
    (_, at) => kernel.values[(at % hiddenSize) * outputs + Math.floor(at / hiddenSize)],
  );
  const headB = hasBias === false ? new Float32Array(outputs) : weights.take('bias', [outputs]).values;
  return { headW, headB };
}
