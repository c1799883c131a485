import { directionsOf, type LayerWeights, type ModelSpec, type ModelWeights, recurrentInputSizeOf } from '../model.ts';
import { elementCount, type TensorShape, tensorShapes, tensorsOf, weightsOf } from '../tensors.ts';
import { BidirectionalLayer } from './bidirectional-layer.ts';
import { assertDropout, type Dropout, drawMask } from './dropout.ts';
import { TrainingEmbedding } from './embedding.ts';
import { TrainingHead } from './head.ts';
import { type InputLayerOptions, TrainingInputLayer } from './input-layer.ts';
import { type Rows, TrainingLayer } from './layer.ts';
import { OutputMask } from './output-mask.ts';
import { createTrainingMemory, type ProductsChoice, type TrainingMemory } from './products.ts';
import type { SeededRandom } from './random.ts';
import type { LayerPlaces } from './tape.ts';
import { assertTrainable } from './trainable.ts';
import type { TrainingWindow } from './window.ts';

export interface NetworkOptions {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  /** Sequences side by side at most. */
  readonly batchSequences: number;
  /** Rows of a window at most. */
  readonly windowRows: number;
  readonly dropout?: Dropout;
  readonly products?: ProductsChoice;
}

/**
 * A stacked recurrent network with a dense head, and an input layer where the spec has one, whose gradients can be taken. B sequences, T rows of a
 * window, H units, O outputs. A window goes `forward`, then `backward` at most once, then `carry`; back-propagation ends at the window's start
 * (R. Williams, J. Peng 1990).
 */
export class TrainingNetwork {
  readonly spec: ModelSpec;
  /** All tensors one behind the other, in file order. */
  readonly parameters: Float64Array;
  /** As `parameters`. `backward` adds to them. */
  readonly gradients: Float64Array;
  /** [B][T][O] */
  readonly outputs: Float64Array;
  /** [B][T][O]: what `backward` starts from. */
  readonly outputGradients: Float64Array;
  readonly #memory: TrainingMemory;
  readonly #embedding: TrainingEmbedding | null;
  readonly #inputLayer: TrainingInputLayer | null;
  readonly #layers: readonly (TrainingLayer | BidirectionalLayer)[];
  readonly #head: TrainingHead;
  /** Of the inputs, and of the input layer's output; null where nothing is left out. */
  readonly #inputMask: OutputMask | null;
  readonly #projectedMask: OutputMask | null;
  /** Of each layer's output; null where nothing is left out. */
  readonly #masks: readonly (OutputMask | null)[];
  readonly #recurrentShare: number;
  readonly #batchSequences: number;
  /** [B][T][I] */
  readonly #input: Rows;
  /** [B][T][I]: gradient of the inputs, where the last ones are gathered from a table; else none. */
  readonly #inputSlope: Rows;
  /** [B][T][D*H]: gradient of what the layer above saw. */
  readonly #above: Rows;
  /** [B][D*H] */
  readonly #slope: number;
  /** D*H */
  readonly #width: number;

  /** Throws ModelError where a gradient of the spec is not there. */
  constructor(options: NetworkOptions) {
    const { spec, weights, batchSequences, windowRows, dropout = {} } = options;
    assertTrainable(spec);
    assertDropout(dropout);
    let reserved = 0;
    const reserve = (count: number): number => {
      reserved += count;
      return reserved - count;
    };
    const shapes = tensorShapes(spec);
    const tensors = shapes.map(({ shape }) => reserve(elementCount(shape)));
    const count = reserved;
    const gradients = reserve(count);
    const one = reserve(1);
    const size = { spec, batchSequences, windowRows, reserve, one };
    const width = directionsOf(spec) * spec.hiddenSize;
    this.#width = width;
    this.#layers = Array.from({ length: spec.layers }, (_, l) => {
      const places = (suffix: string): { weights: LayerPlaces; gradients: LayerPlaces } => ({
        weights: layerPlaces(shapes, tensors, suffix, 0),
        gradients: layerPlaces(shapes, tensors, suffix, gradients),
      });
      const inputSize = l === 0 ? recurrentInputSizeOf(spec) : width;
      const layer = { ...size, inputSize, ...places(`_l${l}`) };
      return spec.bidirectional
        ? new BidirectionalLayer({ ...layer, reverse: places(`_l${l}_reverse`) })
        : new TrainingLayer(layer);
    });
    const [w, b] = tensors.slice(-2);
    this.#head = new TrainingHead({ ...size, weights: { w, b }, gradients: { w: gradients + w, b: gradients + b } });
    const maskOf = (share: number, columns: number): OutputMask | null =>
      share > 0 ? new OutputMask({ ...size, share, size: columns }) : null;
    this.#masks = this.#layers.map((_, l) =>
      maskOf((l === spec.layers - 1 ? dropout.beforeHead : dropout.betweenLayers) ?? 0, width),
    );
    this.#embedding = createEmbedding(spec, { shapes, tensors, gradients, share: dropout.entries ?? 0 });
    const units = spec.inputLayer ?? 0;
    this.#inputMask = maskOf(dropout.inputs ?? 0, spec.inputSize);
    this.#projectedMask = units === 0 ? null : maskOf(dropout.betweenLayers ?? 0, units);
    this.#inputLayer =
      units === 0 ? null : new TrainingInputLayer({ ...size, units, ...inputPlaces(tensors, gradients) });
    const rows = (n: number): Rows => ({
      ...{ at: reserve(batchSequences * windowRows * n), size: n, sequenceStep: windowRows * n },
    });
    this.#input = rows(spec.inputSize);
    this.#inputSlope = spec.embedding ? rows(spec.inputSize) : this.#input;
    this.#above = rows(width);
    this.#slope = reserve(batchSequences * width);
    this.#recurrentShare = dropout.recurrent ?? 0;
    this.#batchSequences = batchSequences;
    this.#memory = createTrainingMemory(reserved, options.products);
    const { values } = this.#memory;
    values[one] = 1;
    tensorsOf(weights).forEach((tensor, i) => {
      values.set(tensor, tensors[i]);
    });
    this.spec = spec;
    this.parameters = values.subarray(0, count);
    this.gradients = values.subarray(gradients, gradients + count);
    const outputs = batchSequences * windowRows * spec.outputSize;
    this.outputs = values.subarray(this.#head.outputs, this.#head.outputs + outputs);
    this.outputGradients = values.subarray(this.#head.outputGradients, this.#head.outputGradients + outputs);
  }

  /** Zero states: a batch begins. */
  reset(): void {
    for (const layer of this.#layers) layer.reset(this.#memory);
  }

  /** The states after the window are where the next one begins. */
  carry(window: TrainingWindow): void {
    for (const layer of this.#layers) layer.carry(this.#memory, window);
  }

  /** Draws the masks that hold for all rows of a batch's sequences. */
  drawSequenceMasks(random: SeededRandom): void {
    if (this.#recurrentShare === 0) return;
    const count = this.#batchSequences * this.spec.hiddenSize;
    for (const mask of this.#layers.flatMap(({ recurrentMasks }) => recurrentMasks))
      drawMask(this.#memory.values, mask, count, { share: this.#recurrentShare, random });
  }

  /** Draws the masks of a window's rows. */
  drawRowMasks(random: SeededRandom, window: TrainingWindow): void {
    this.#embedding?.draw(random, window);
    for (const mask of [...this.#masks, this.#inputMask, this.#projectedMask])
      mask?.draw(this.#memory.values, random, window);
  }

  /** Sets `outputs`. `masked`: through the dropout masks that were drawn last. */
  forward(window: TrainingWindow, masked: boolean): void {
    const { values } = this.#memory;
    const { inputSize } = this.spec;
    window.rows.forEach((rows, b) => {
      const from = window.from * inputSize;
      const inputs = window.batch.sequences[b].inputs.subarray(from, from + rows * inputSize);
      values.set(inputs, this.#input.at + b * this.#input.sequenceStep);
    });
    this.#embedding?.forward(values, window, this.#input, masked);
    if (masked) this.#inputMask?.apply(values, window, this.#input);
    if (this.#inputLayer) {
      this.#inputLayer.forward(this.#memory, window, this.#given(masked));
      if (masked) this.#projectedMask?.apply(values, window, this.#inputLayer.output);
    }
    this.#layers.forEach((layer, l) => {
      layer.forward(this.#memory, window, this.#inputOf(l, masked), masked && this.#recurrentShare > 0);
      if (masked) this.#masks[l]?.apply(values, window, layer.output);
    });
    this.#head.forward(this.#memory, window, this.#inputOf(this.#layers.length, masked), this.#beside(masked));
  }

  /** Adds the window's gradients to `gradients`, from `outputGradients`. `masked` as in the `forward` before. */
  backward(window: TrainingWindow, masked: boolean): void {
    const top = this.#layers.length - 1;
    this.#head.addGradients(this.#memory, window, this.#inputOf(top + 1, masked), this.#beside(masked));
    for (let l = top; l >= 0; l -= 1)
      this.#layers[l].backward(this.#memory, window, {
        ...{ x: this.#inputOf(l, masked), masked: masked && this.#recurrentShare > 0 },
        dInput: l === 0 ? (this.#inputLayer?.slope ?? (this.#embedding ? this.#inputSlope : null)) : this.#above,
        addAbove: (t, active, to) => {
          const mask = masked ? this.#masks[l] : null;
          if (l === top) this.#addHeadSlope(mask, t, active, to);
          else this.#addLayerSlope(mask, t, active, to);
        },
      });
    this.#backwardInput(window, masked);
  }

  #backwardInput(window: TrainingWindow, masked: boolean): void {
    const layer = this.#inputLayer;
    if (layer === null && this.#embedding === null) return;
    const slope = layer?.slope ?? this.#inputSlope;
    if (this.spec.skipConnection) this.#head.addBeside(this.#memory, window, slope);
    if (layer) {
      if (masked) this.#projectedMask?.unmask(this.#memory.values, window, layer.slope);
      layer.addGradients(this.#memory, window, this.#given(masked));
      if (this.#embedding)
        layer.setInputGradient(this.#memory, window, this.#inputSlope, this.spec.embedding?.size ?? 0);
    }
    if (this.#embedding === null) return;
    if (masked) this.#inputMask?.unmask(this.#memory.values, window, this.#inputSlope);
    this.#embedding.addGradients(this.#memory.values, window, this.#inputSlope, masked);
  }

  /** Parameters as weights, rounded to float32. */
  weights(parameters: Float64Array = this.parameters): ModelWeights {
    return toWeights(this.spec, parameters);
  }

  /** What layer l sees; one behind the last layer, what the head sees. */
  #inputOf(l: number, masked: boolean): Rows {
    if (l === 0 && this.#inputLayer === null) return this.#given(masked);
    if (l === 0) return (masked ? this.#projectedMask?.masked : undefined) ?? this.#inputLayer?.output ?? this.#input;
    return (masked ? this.#masks[l - 1]?.masked : undefined) ?? this.#layers[l - 1].output;
  }

  /** The inputs. */
  #given(masked: boolean): Rows {
    return (masked ? this.#inputMask?.masked : undefined) ?? this.#input;
  }

  /** What the head sees besides h. */
  #beside(masked: boolean): Rows | null {
    return this.spec.skipConnection ? this.#inputOf(0, masked) : null;
  }

  #addHeadSlope(mask: OutputMask | null, t: number, active: number, to: number): void {
    if (mask === null) {
      this.#head.addSlope(this.#memory, t, active, to);
      return;
    }
    const { values } = this.#memory;
    const width = this.#width;
    values.fill(0, this.#slope, this.#slope + active * width);
    this.#head.addSlope(this.#memory, t, active, this.#slope);
    mask.addThrough(values, { t, active, from: this.#slope, fromStep: width }, to);
  }

  #addLayerSlope(mask: OutputMask | null, t: number, active: number, to: number): void {
    const { values } = this.#memory;
    const { at, size, sequenceStep } = this.#above;
    const from = at + t * size;
    if (mask) mask.addThrough(values, { t, active, from, fromStep: sequenceStep }, to);
    else
      for (let b = 0; b < active; b += 1)
        for (let j = 0; j < size; j += 1) values[to + b * size + j] += values[from + b * sequenceStep + j];
  }
}

/** The table by its name among the tensors. */
function createEmbedding(
  { embedding }: ModelSpec,
  places: {
    readonly shapes: readonly TensorShape[];
    readonly tensors: readonly number[];
    readonly gradients: number;
    readonly share: number;
  },
): TrainingEmbedding | null {
  if (embedding === undefined) return null;
  const { shapes, tensors, gradients, share } = places;
  const table = tensors[shapes.findIndex(({ name }) => name === 'embedding.weight')];
  return new TrainingEmbedding({ size: embedding.size, table, gradient: gradients + table, share });
}

/** The input layer's tensors stand before the head's two. */
function inputPlaces(tensors: readonly number[], gradients: number): Pick<InputLayerOptions, 'weights' | 'gradients'> {
  const [w, b] = tensors.slice(-4);
  return { weights: { w, b }, gradients: { w: gradients + w, b: gradients + b } };
}

/** The tensors of a layer, by their names before `_l0`. */
const LAYER_TENSORS: Readonly<Record<string, keyof LayerWeights>> = {
  ...{ weight_ih: 'wIh', weight_hh: 'wHh', bias_ih: 'bIh', bias_hh: 'bHh', weight_p: 'peephole' },
  ...{ norm_sum: 'normSum', norm_ih: 'normIh', norm_hh: 'normHh', norm_c: 'normC', norm_c_shift: 'normCShift' },
};

/** Where the tensors of the layer whose names end so stand, `offset` further on. */
function layerPlaces(
  shapes: readonly TensorShape[],
  places: readonly number[],
  suffix: string,
  offset: number,
): LayerPlaces {
  const found = new Map<string, number>();
  shapes.forEach(({ name }, i) => {
    const field = name.endsWith(suffix) ? LAYER_TENSORS[name.slice(0, -suffix.length)] : undefined;
    if (field !== undefined) found.set(field, places[i] + offset);
  });
  return Object.fromEntries(found) as unknown as LayerPlaces;
}

/** Parameters in file order as weights, rounded to float32. */
export function toWeights(spec: ModelSpec, parameters: Float64Array): ModelWeights {
  let at = 0;
  const tensors = tensorShapes(spec).map(({ shape }) => {
    const count = elementCount(shape);
    at += count;
    return Float32Array.from(parameters.subarray(at - count, at));
  });
  return weightsOf(spec, tensors);
}
