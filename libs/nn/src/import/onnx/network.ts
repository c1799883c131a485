/** From the values of a graph's outputs to one stacked network: the head, the layers below it, and the states that are carried. */
import type { LayerWeights, ModelWeights } from '../../model.ts';
import { ImportError } from '../import-error.ts';
import { type ImportedWeights, identityHead, LAST_STEP_NOTE, NO_HEAD_NOTE } from '../imported-weights.ts';
import { recogniseCell } from './recognise-cell.ts';
import type { RecurrentLayer } from './recurrent-layer.ts';
import { type Atom, isMatrix, isSamePart, type Part, partOf, type Row, soleAtom } from './row.ts';
import type { RowAlgebra } from './row-algebra.ts';
import { gridShape, type SymbolicValue } from './value.ts';

export interface NamedValue {
  readonly name: string;
  readonly value: SymbolicValue;
}

export interface GraphValues {
  readonly from: string;
  readonly algebra: RowAlgebra;
  /** The inputs that were used, in the graph's order. */
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
}

const LAYERS_MAX = 256;
/** What comparing a state with an output costs beside its values. */
const STATE_WORK = 64;

export function networkOf(graph: GraphValues): ImportedWeights {
  return new Network(graph).assemble();
}

interface Head {
  readonly output: NamedValue | undefined;
  readonly hidden: Part;
  readonly weights: Pick<ModelWeights, 'headW' | 'headB'> | undefined;
}

class Network {
  readonly #graph: GraphValues;
  readonly #layers = new Map<Part | Atom, RecurrentLayer | undefined>();

  constructor(graph: GraphValues) {
    this.#graph = graph;
  }

  assemble(): ImportedWeights {
    const head = this.#head();
    const { layers, input } = this.#stack(head.hidden);
    const [first] = layers;
    for (const layer of layers) this.#assertAlike(layer, first);
    this.#assertCarried(layers);
    const { wIh, bIh, inputSize } = this.#firstWeights(first, input);
    const weights = layers.map((layer, k): LayerWeights => (k === 0 ? { ...layer.weights, wIh, bIh } : layer.weights));
    const { cell, gruReset, hiddenSize } = first;
    const { headW, headB } = head.weights ?? identityHead(hiddenSize);
    const notes = head.weights ? [] : [NO_HEAD_NOTE];
    if (head.output?.value.isLast) notes.push(LAST_STEP_NOTE);
    return {
      spec: {
        cell,
        inputSize,
        hiddenSize,
        layers: layers.length,
        outputSize: headB.length,
        ...(gruReset && { gruReset }),
        ...(first.weights.peephole && { peephole: true }),
      },
      weights: { layers: weights, headW, headB },
      notes,
    };
  }

  /** The one output that is affine in a hidden state; without any, the hidden state of the topmost layer that is an output. */
  #head(): Head {
    const heads: Head[] = [];
    const hidden: Part[] = [];
    const strangers: string[] = [];
    for (const output of this.#graph.outputs) {
      const parts = output.value.rows.flat();
      const [part] = parts;
      const weights = parts.length === 1 ? this.#headOf(part) : undefined;
      if (weights) heads.push({ output, ...weights });
      else if (parts.every((one) => this.#layer(one))) hidden.push(...parts);
      else if (!parts.every((one) => this.#isState(one))) strangers.push(output.name);
    }
    if (heads.length > 1)
      throw this.#error(
        `has the outputs '${heads[0].output?.name}' and '${heads[1].output?.name}', both linear in a hidden state. Export one head`,
      );
    if (strangers.length > 0)
      throw this.#error(
        `has the output '${strangers[0]}', which is no linear head on the hidden state of an RNN, GRU or LSTM (or a state that no output carries on). ` +
          "Export the network up to its head's linear layer, with every state as an input and as an output",
      );
    if (heads.length === 1) return heads[0];
    // Layers are found from the bottom up: the one that reads all others is on top.
    const deepest = hidden.reduce<{ part: Part; depth: number } | undefined>((best, part) => {
      const depth = this.#stack(part).layers.length;
      return best && best.depth >= depth ? best : { part, depth };
    }, undefined);
    if (!deepest) throw this.#error('has no output that depends on an RNN, GRU or LSTM. Export a recurrent network');
    return { output: undefined, hidden: deepest.part, weights: undefined };
  }

  #headOf(part: Part): { readonly hidden: Part; readonly weights: Pick<ModelWeights, 'headW' | 'headB'> } | undefined {
    const [term] = part.terms;
    if (part.terms.length !== 1 || !isMatrix(term.factor) || term.product.length !== 1) return undefined;
    const hidden = partOf(term.product[0]);
    if (!this.#layer(hidden)) return undefined;
    return {
      hidden,
      weights: {
        headW: Float32Array.from(term.factor.values),
        headB: Float32Array.from(part.bias ?? new Float64Array(part.length)),
      },
    };
  }

  /** The layers up to the one whose hidden state `hidden` is, first layer first, and what the first one reads. */
  #stack(hidden: Part): { readonly layers: readonly RecurrentLayer[]; readonly input: Row } {
    const layers: RecurrentLayer[] = [];
    let part: Part | undefined = hidden;
    let input: Row = [];
    while (part) {
      const layer = this.#layer(part);
      if (!layer) break;
      layers.unshift(layer);
      if (layers.length > LAYERS_MAX) throw this.#error(`has more than ${LAYERS_MAX} layers`);
      input = layer.input;
      part = input.length === 1 ? input[0] : undefined;
    }
    return { layers, input };
  }

  /** The layer whose whole hidden state a part is. */
  #layer(part: Part): RecurrentLayer | undefined {
    const atom = soleAtom(part);
    const key = atom ?? part;
    if (!this.#layers.has(key)) this.#layers.set(key, this.#findLayer(part, atom));
    return this.#layers.get(key);
  }

  #findLayer(part: Part, atom: Atom | undefined): RecurrentLayer | undefined {
    const is = atom?.is;
    if (is?.kind === 'state') return is.state === 'h' && atom?.length === is.layer.hiddenSize ? is.layer : undefined;
    if (is?.kind === 'value') return this.#layer(is.of);
    return recogniseCell(part, this.#graph.from, (state, next) => this.#isCarried(state, next));
  }

  /** A cell state, or any part that is the new value of a state input. */
  #isState(part: Part): boolean {
    const atom = soleAtom(part);
    if (atom?.is.kind === 'state') return true;
    return this.#graph.inputs.some(({ value }) =>
      value.rows.some((row) => {
        const input = soleAtom(row[0]);
        return input !== undefined && this.#isCarried(input, part);
      }),
    );
  }

  /** Whether an output of the input's shape has `next` where the input has `atom`. */
  #isCarried({ is }: Atom, next: Part): boolean {
    const input = is.kind === 'input' ? this.#graph.inputs.find(({ name }) => name === is.name) : undefined;
    if (is.kind !== 'input' || !input || is.from !== 0) return false;
    this.#graph.algebra.spend(this.#graph.outputs.length * (next.length + STATE_WORK));
    return this.#graph.outputs.some(({ value }) => {
      const row = value.rows[is.index];
      return row?.length === 1 && isSamePart(row[0], next) && isSameShape(value, input.value);
    });
  }

  #assertAlike(layer: RecurrentLayer, first: RecurrentLayer): void {
    const describe = (one: RecurrentLayer): string =>
      `${one.cell}${one.gruReset ? ` (reset ${one.gruReset})` : ''}${one.weights.peephole ? ' with peepholes' : ''} of ${one.hiddenSize}`;
    if (describe(layer) !== describe(first))
      throw new ImportError(
        `${layer.where} is a ${describe(layer)}, the first layer a ${describe(first)}: all layers must be alike. Train a network of equal layers.`,
      );
  }

  /** All layers start from inputs, or all from zero; and one output gives the new values of all rows of such an input. */
  #assertCarried(layers: readonly RecurrentLayer[]): void {
    const states = layers.flatMap((layer) =>
      (layer.cell === 'lstm' ? (['h', 'c'] as const) : (['h'] as const)).map((kind) => ({
        layer,
        kind,
        input: layer.states[kind],
      })),
    );
    const mixed = states.find(({ input }) => (input === undefined) !== (states[0].input === undefined));
    if (mixed)
      throw new ImportError(
        `${mixed.layer.where} ${mixed.input ? `takes ${mixed.kind} from the input '${mixed.input.name}'` : `starts ${mixed.kind} at zero`}, ` +
          `${states[0].layer.where} does not. Let all states be inputs and outputs, or none.`,
      );
    for (const name of new Set(states.flatMap(({ input }) => input?.name ?? []))) {
      const own = states.filter(({ input }) => input?.name === name);
      const isGiven = this.#graph.outputs.some(({ value }) =>
        own.every(({ layer, kind, input }) => input && isNext(value.rows[input.index], layer, kind)),
      );
      if (!isGiven)
        throw new ImportError(
          `${own[0].layer.where} starts from the input '${name}', but no output gives its new rows, in their order. Export all states as outputs.`,
        );
    }
  }

  /** Input weights over the graph's input as it is: what stands between (a selection, a scaling, a linear layer) is folded in. */
  #firstWeights(first: RecurrentLayer, input: Row): Pick<LayerWeights, 'wIh' | 'bIh'> & { inputSize: number } {
    const { wIh, bIh } = first.weights;
    const rows = bIh.length;
    const columns = wIh.length / rows;
    const folded = this.#graph.algebra.project(input, { rows, columns, values: Float64Array.from(wIh) });
    const used = folded.terms.map(({ product }) => product[0].is);
    const name = used[0]?.kind === 'input' ? used[0].name : undefined;
    const source = this.#graph.inputs.find((one) => one.name === name);
    const isPlain = folded.terms.every(({ product, factor }) => product.length === 1 && isMatrix(factor));
    const whole = source?.value.rows[0][0];
    if (
      !isPlain ||
      !source ||
      !whole ||
      source.value.rows.length !== 1 ||
      used.some((is) => is.kind !== 'input' || is.name !== name)
    )
      throw new ImportError(
        `${first.where} reads something else than one input of the graph, or a linear function of it${name ? `, beside '${name}'` : ''}. ` +
          'Give the network one input.',
      );
    const inputSize = whole.length;
    if (input.length === 1 && soleAtom(input[0]) === soleAtom(whole)) return { wIh, bIh, inputSize };
    const values = new Float64Array(rows * inputSize);
    for (const { product, factor } of folded.terms) {
      const [{ is }] = product;
      if (is.kind !== 'input' || !isMatrix(factor)) continue;
      for (let r = 0; r < rows; r += 1)
        for (let k = 0; k < factor.columns; k += 1)
          values[r * inputSize + is.from + k] += factor.values[r * factor.columns + k];
    }
    const bias = bIh.map((value, r) => value + (folded.bias?.[r] ?? 0));
    return { wIh: Float32Array.from(values), bIh: bias, inputSize };
  }

  #error(what: string): ImportError {
    return new ImportError(`${this.#graph.from} ${what}.`);
  }
}

/** Whether a row is a layer's new state. */
function isNext(row: Row | undefined, layer: RecurrentLayer, kind: 'h' | 'c'): boolean {
  if (row?.length !== 1) return false;
  const expected = layer.next?.[kind];
  if (expected) return isSamePart(row[0], expected);
  const is = soleAtom(row[0])?.is;
  return is?.kind === 'state' && is.layer === layer && is.state === kind;
}

function isSameShape(a: SymbolicValue, b: SymbolicValue): boolean {
  const rowSize = ({ axes }: SymbolicValue): number | undefined => axes.find(({ kind }) => kind === 'row')?.size;
  return gridShape(a.axes).join() === gridShape(b.axes).join() && rowSize(a) === rowSize(b);
}
