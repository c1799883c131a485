import { type CellKind, GATES, type LayerWeights } from '../model.ts';
import { ImportError } from './import-error.ts';
import { type ImportedWeights, identityHead, NO_HEAD_NOTE } from './imported-weights.ts';
import type { SourceTensor } from './source-tensor.ts';
import { type RecurrentGroup, recurrentGroups, type TorchPart } from './torch-names.ts';

export interface TorchOptions {
  /** The file, for messages. */
  readonly from: string;
  /** What the weights are, where the caller knows. */
  readonly cell?: CellKind;
}

const KIND_OF_GATES: Readonly<Record<number, CellKind>> = { 4: 'lstm', 3: 'gru', 1: 'rnn' };

/**
 * A model from PyTorch's tensors: one nn.RNN, nn.LSTM or nn.GRU (or a numbered list of cells or one-layer modules) and at most one nn.Linear
 * on its output. weight_ih_lK [G*H][I], weight_hh_lK [G*H][H], biases [G*H]; missing biases are zero. Throws ImportError that names the first
 * tensor that has no place.
 */
export function importTorchTensors(tensors: readonly SourceTensor[], options: TorchOptions): ImportedWeights {
  const { groups, rest } = recurrentGroups(tensors, options.from);
  const hiddenSize = sizesOf(groups[0], options).hiddenSize;
  const cell = cellOf(groups[0], options);
  const layers = groups.map((group, k) => {
    const sizes = sizesOf(group, options);
    const inputSize = k === 0 ? sizes.inputSize : hiddenSize;
    return layerOf(group, { rows: GATES[cell] * hiddenSize, inputSize, hiddenSize, from: options.from });
  });
  const notes: string[] = [];
  if (cell === 'rnn')
    notes.push("PyTorch's tensors do not say an RNN's nonlinearity: it was taken to be tanh, which is its default.");
  const head = headOf(rest, hiddenSize, options.from);
  if (!head) notes.push(NO_HEAD_NOTE);
  const { headW, headB } = head ?? identityHead(hiddenSize);
  const { inputSize } = sizesOf(groups[0], options);
  const outputSize = headB.length;
  return {
    spec: { cell, inputSize, hiddenSize, layers: layers.length, outputSize },
    weights: { layers, headW, headB },
    notes,
  };
}

function sizesOf(group: RecurrentGroup, { from }: TorchOptions): { inputSize: number; hiddenSize: number } {
  const sizes = (['weight_ih', 'weight_hh'] as const).map((part) => {
    const tensor = group.parts.get(part);
    if (!tensor)
      throw new ImportError(`${from}: layer '${group.name}' has no tensor ${part}. Save the whole state dict.`);
    if (tensor.shape.length !== 2 || tensor.shape.includes(0))
      throw new ImportError(
        `${from}: tensor '${tensor.name}' has shape [${tensor.shape.join(', ')}], must be a matrix. Save the state dict of a plain nn.LSTM, nn.GRU or nn.RNN.`,
      );
    return tensor.shape[1];
  });
  return { inputSize: sizes[0], hiddenSize: sizes[1] };
}

function cellOf(group: RecurrentGroup, options: TorchOptions): CellKind {
  const { hiddenSize } = sizesOf(group, options);
  const tensor = group.parts.get('weight_hh');
  const rows = tensor?.shape[0] ?? 0;
  const found = KIND_OF_GATES[rows / hiddenSize];
  const { cell = found } = options;
  if (found === undefined || found !== cell)
    throw new ImportError(
      `${options.from}: tensor '${tensor?.name}' has shape [${rows}, ${hiddenSize}], which is ${rows / hiddenSize} gates of ${hiddenSize}; ` +
        (options.cell && found
          ? `that is one ${found} and no ${options.cell}. Give --cell ${found} or leave it out.`
          : 'an rnn has 1, a gru 3, an lstm 4. Import a plain nn.RNN, nn.GRU or nn.LSTM without projections.'),
    );
  return found;
}

function layerOf(
  group: RecurrentGroup,
  sizes: { readonly rows: number; readonly inputSize: number; readonly hiddenSize: number; readonly from: string },
): LayerWeights {
  const { rows, inputSize, hiddenSize, from } = sizes;
  const take = (part: TorchPart, shape: readonly number[]): Float32Array => {
    const tensor = group.parts.get(part);
    if (!tensor && part.startsWith('bias')) return new Float32Array(rows);
    if (tensor?.shape.join() !== shape.join())
      throw new ImportError(
        `${from}: tensor '${tensor?.name ?? part}' has shape [${tensor?.shape.join(', ') ?? 'none'}], its place needs [${shape.join(', ')}]: ` +
          'every layer has one cell and one hidden size here, and one direction. Import a network of equal layers.',
      );
    return tensor.values;
  };
  return {
    wIh: take('weight_ih', [rows, inputSize]),
    wHh: take('weight_hh', [rows, hiddenSize]),
    bIh: take('bias_ih', [rows]),
    bHh: take('bias_hh', [rows]),
  };
}

function headOf(
  rest: readonly SourceTensor[],
  hiddenSize: number,
  from: string,
): { headW: Float32Array; headB: Float32Array } | undefined {
  const weights = rest.filter(({ name, shape }) => /(^|[._])weight$/.test(name) && shape.length === 2);
  const weight = weights.at(-1);
  const prefix = weight?.name.slice(0, -'weight'.length);
  const stranger = rest.find((tensor) => tensor !== weight && tensor.name !== `${prefix}bias`);
  if (stranger)
    throw new ImportError(
      `${from}: tensor '${stranger.name}' of shape [${stranger.shape.join(', ')}] has no place: beside the recurrent layers a model has one linear head` +
        `${weight ? ` (taken: '${weight.name}')` : ''}. Fold it into the neighbouring layer or save the model without it.`,
    );
  if (!weight) return undefined;
  const [outputs, columns] = weight.shape;
  const bias = rest.find((tensor) => tensor !== weight);
  if (columns !== hiddenSize || outputs === 0 || (bias && bias.shape.join() !== String(outputs)))
    throw new ImportError(
      `${from}: the head '${weight.name}' has shape [${weight.shape.join(', ')}]${bias ? ` and bias [${bias.shape.join(', ')}]` : ''}, ` +
        `on a hidden size of ${hiddenSize} it must be [outputs, ${hiddenSize}] and [outputs]. Import a head that reads the last layer's hidden state alone.`,
    );
  return { headW: weight.values, headB: bias?.values ?? new Float32Array(outputs) };
}
