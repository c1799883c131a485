/** The chain of layers in a Keras model's JSON, each checked to be one that the recurrence here computes exactly. */
import { ImportError } from '../import-error.ts';
import { isObject } from '../model-folder.ts';

export interface KerasLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

const LAYERS_MAX = 1_000;
/** Layers that do nothing when a trained model runs. */
const INERT = new Set([
  'InputLayer',
  'Dropout',
  'SpatialDropout1D',
  'GaussianNoise',
  'GaussianDropout',
  'ActivityRegularization',
]);
const CHAINS = new Set(['Sequential', 'Functional', 'Model']);
export const RECURRENT_CLASSES = { LSTM: 'lstm', GRU: 'gru', SimpleRNN: 'rnn' } as const;
export type RecurrentClass = keyof typeof RECURRENT_CLASSES;

const CURES: Readonly<Record<string, string>> = {
  Bidirectional: 'A state cannot be carried backwards in time: train it one-directional',
  Activation: "Save the model up to its last Dense layer's logits",
  Softmax: "Save the model up to its last Dense layer's logits",
  BatchNormalization: 'Fold it into the neighbouring Dense layer or train without it',
  RNN: 'Use LSTM, GRU or SimpleRNN layers',
};

/** Recurrent layers and Dense layers in order. `topology` is `modelTopology` of model.json. Throws ImportError. */
export function layersOf(topology: unknown, from: string): KerasLayer[] {
  const outer = isObject(topology) && isObject(topology.model_config) ? topology.model_config : topology;
  const layers = chainOf(outer, from);
  return layers.flatMap((layer) => {
    if (INERT.has(layer.className)) return [];
    if (Object.hasOwn(RECURRENT_CLASSES, layer.className) || layer.className === 'Dense') return [layer];
    if (layer.className === 'Activation' && layer.config.activation === 'linear') return [];
    if (layer.className === 'TimeDistributed') return [unwrapped(layer, from)];
    throw new ImportError(
      `${from}: layer '${layer.name}' is a ${layer.className}, which the recurrence here does not have (LSTM, GRU, SimpleRNN and a Dense head). ` +
        `${CURES[layer.className] ?? 'Save the model without it'}.`,
    );
  });
}

function chainOf(model: unknown, from: string): KerasLayer[] {
  const { class_name: kind, config } = isObject(model) ? model : {};
  if (typeof kind !== 'string' || !CHAINS.has(kind))
    throw new ImportError(
      `${from}: its model is a ${JSON.stringify(kind)}, must be Sequential or Functional. Convert a Keras model with tensorflowjs_converter.`,
    );
  // Keras 1 wrote a Sequential's layers as its config.
  const listed = isObject(config) ? config.layers : config;
  if (!Array.isArray(listed) || listed.length > LAYERS_MAX)
    throw new ImportError(`${from}: its model lists no layers, or more than ${LAYERS_MAX}. Convert it again.`);
  const layers = listed.map((layer, i) => layerOf(layer, `${from}: layer ${i}`));
  if (kind !== 'Sequential') assertChain(listed as Readonly<Record<string, unknown>>[], layers, from);
  return layers;
}

function layerOf(layer: unknown, where: string): KerasLayer {
  const { class_name: className, config, name } = isObject(layer) ? layer : {};
  const named = isObject(config) && typeof config.name === 'string' ? config.name : name;
  if (typeof className !== 'string' || !isObject(config) || typeof named !== 'string')
    throw new ImportError(`${where} has no class_name, config or name. Convert the model again.`);
  return { name: named, className, config };
}

/** A functional model must be a plain chain: each layer reads the one before it. */
function assertChain(
  listed: readonly Readonly<Record<string, unknown>>[],
  layers: readonly KerasLayer[],
  from: string,
): void {
  layers.forEach((layer, i) => {
    const inputs = i === 0 ? [] : [layers[i - 1].name];
    const found = inboundNames(listed[i].inbound_nodes);
    if (found.join() !== inputs.join())
      throw new ImportError(
        `${from}: layer '${layer.name}' reads ${found.length === 0 ? 'nothing' : `'${found.join("', '")}'`}, must read ` +
          `${i === 0 ? 'nothing' : `'${inputs[0]}'`}: only a chain of layers can be imported. Save the chain as a model of its own.`,
      );
  });
}

/** Names of the layers that a layer reads: [["name", 0, 0, {}]] (Keras 2) or {args: [{config: {keras_history: ["name", 0, 0]}}]} (Keras 3). */
function inboundNames(nodes: unknown): string[] {
  const names: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) {
      if (typeof value[0] === 'string' && typeof value[1] === 'number') names.push(value[0]);
      else value.forEach(walk);
    } else if (isObject(value)) Object.values(value).forEach(walk);
  };
  walk(nodes ?? []);
  return names;
}

function unwrapped(layer: KerasLayer, from: string): KerasLayer {
  const inner = layerOf(layer.config.layer, `${from}: the layer in '${layer.name}'`);
  if (inner.className !== 'Dense')
    throw new ImportError(
      `${from}: layer '${layer.name}' applies a ${inner.className} to each step; only a Dense head is known. Save the model without it.`,
    );
  // The weights are named after the wrapper.
  return { ...inner, name: layer.name };
}
