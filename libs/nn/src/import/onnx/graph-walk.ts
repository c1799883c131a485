import { ImportError } from '../import-error.ts';
import { activate, elementwise, gemm, matMul, negate, sum } from './arithmetic.ts';
import { cast, dropout, flatten, identity, reshape, squeeze, transpose, unsqueeze } from './arrange.ts';
import { GraphNode, type GraphScope, nodeName } from './graph-node.ts';
import type { NamedValue } from './network.ts';
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from './proto.ts';
import { RECURRENT_NODES, recurrentNode } from './recurrent-node.ts';
import { partOf } from './row.ts';
import { concat, gather, slice, split } from './select.ts';
import { constant, constantOfShape, expand, shape } from './shapes.ts';
import { constantOf, type ReadExternal } from './tensor.ts';
import type { Axis, SymbolicValue, Value } from './value.ts';

const OPERATIONS: Readonly<Record<string, (node: GraphNode) => Value[]>> = {
  Add: elementwise('+'),
  Cast: cast,
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Div: elementwise('/'),
  Dropout: dropout,
  Expand: expand,
  Flatten: flatten,
  GRU: recurrentNode,
  Gather: gather,
  Gemm: gemm,
  Identity: identity,
  LSTM: recurrentNode,
  MatMul: matMul,
  Mul: elementwise('*'),
  Neg: negate,
  RNN: recurrentNode,
  Reshape: reshape,
  Shape: shape,
  Sigmoid: activate('sigmoid'),
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Sub: elementwise('-'),
  Sum: sum,
  Tanh: activate('tanh'),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};

const CURES: Readonly<Record<string, string>> = {
  Softmax: "Export the network up to its head's logits",
  LogSoftmax: "Export the network up to its head's logits",
  Relu: 'Export a network whose head is one linear layer and whose cell uses tanh and sigmoid',
  Loop: 'Export one step of the network instead of the loop (a Keras model: through tensorflowjs_converter)',
  Scan: 'Export one step of the network instead of the scan',
  If: 'Export the model with fixed control flow',
};

const CONTROL_FLOW = ['Loop', 'Scan', 'If'];
const NO_LENGTHS: Value = { kind: 'fill', value: 0 };
const NODES_MAX = 100_000;
const ROWS_MAX = 1_024;
/** Inputs and outputs at most: each layer may have two states of its own. */
const ENDS_MAX = 1_024;

export interface GraphSource {
  readonly from: string;
  readonly opset: number;
  readonly readExternal: ReadExternal;
}

/** The values of the graph's outputs, symbolically. Throws ImportError that names the first node (in the graph's order) that has no meaning here. */
export function walkGraph(
  graph: OnnxGraph,
  source: GraphSource,
  scope: GraphScope,
): { readonly inputs: NamedValue[]; readonly outputs: NamedValue[] } {
  const { from } = source;
  if (graph.nodes.length > NODES_MAX)
    throw new ImportError(`${from} has ${graph.nodes.length} nodes, at most ${NODES_MAX} are read. Export one step.`);
  const ends = Math.max(graph.inputs.length - graph.initializers.length, graph.outputs.length);
  if (ends > ENDS_MAX)
    throw new ImportError(`${from} has ${ends} inputs or outputs, at most ${ENDS_MAX} are read. Export one step.`);
  const needed = neededNodes(graph, from);
  assertKnown(needed, from);
  const values = new GraphValues(graph, { source, scope, states: stateNames(needed) });
  for (const node of needed) {
    // The lengths of the sequences (an input of recurrent nodes) change no step.
    const inputs = node.inputs.map((name, i) => {
      if (name === '') return undefined;
      return isSequenceLength(node, i) ? NO_LENGTHS : values.get(name, nodeName(node, from));
    });
    const given = OPERATIONS[node.opType](new GraphNode(node, inputs, scope));
    node.outputs.forEach((name, i) => {
      if (name !== '' && given[i]) values.set(name, given[i]);
    });
  }
  const outputs = graph.outputs.map(({ name }) => {
    const value = values.get(name, `${from}: output '${name}'`);
    if (value.kind !== 'symbolic')
      throw new ImportError(`${from}: output '${name}' is a constant. Export the network without it.`);
    return { name, value };
  });
  return { inputs: values.inputs(), outputs };
}

/** Values by name: those that nodes gave, and constants and inputs where they are first read. */
class GraphValues {
  readonly #values = new Map<string, Value>();
  readonly #initializers: ReadonlyMap<string, OnnxTensor>;
  readonly #inputs: ReadonlyMap<string, OnnxValue>;
  readonly #options: {
    readonly source: GraphSource;
    readonly scope: GraphScope;
    readonly states: ReadonlySet<string> | undefined;
  };

  constructor(
    graph: OnnxGraph,
    options: {
      readonly source: GraphSource;
      readonly scope: GraphScope;
      readonly states: ReadonlySet<string> | undefined;
    },
  ) {
    this.#options = options;
    this.#initializers = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
    // Old files list the weights among the inputs too.
    const inputs = graph.inputs.filter(({ name }) => !this.#initializers.has(name));
    this.#inputs = new Map(inputs.map((input) => [input.name, input]));
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
  }

  get(name: string, wantedBy: string): Value {
    const value = this.#values.get(name) ?? this.#first(name);
    if (!value)
      throw new ImportError(
        `${wantedBy} reads '${name}', which nothing before it gives. The file is damaged: export it again.`,
      );
    this.#values.set(name, value);
    return value;
  }

  /** The inputs that were read, in the graph's order. */
  inputs(): NamedValue[] {
    return [...this.#inputs.keys()].flatMap((name) => {
      const value = this.#values.get(name);
      return value?.kind === 'symbolic' ? [{ name, value }] : [];
    });
  }

  #first(name: string): Value | undefined {
    const { source, scope, states } = this.#options;
    const tensor = this.#initializers.get(name);
    if (tensor) return constantOf(tensor, `${source.from}: tensor '${name}'`, source.readExternal);
    const input = this.#inputs.get(name);
    return input && inputValue(input, { isState: !states || states.has(name), scope });
  }
}

/** The nodes that outputs depend on, in the graph's order, which ONNX says is one that can be run. */
function neededNodes(graph: OnnxGraph, from: string): OnnxNode[] {
  const producers = new Map<string, OnnxNode>();
  for (const node of graph.nodes)
    for (const name of node.outputs) {
      if (name !== '' && producers.has(name))
        throw new ImportError(
          `${nodeName(node, from)} gives '${name}' a second time. The file is damaged: export it again.`,
        );
      producers.set(name, node);
    }
  const needed = new Set<OnnxNode>();
  const waiting = graph.outputs.map(({ name }) => name);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = name === '' ? undefined : producers.get(name);
    if (!node || needed.has(node)) continue;
    needed.add(node);
    waiting.push(...node.inputs.filter((_, i) => !isSequenceLength(node, i)));
  }
  return graph.nodes.filter((node) => needed.has(node));
}

function assertKnown(all: readonly OnnxNode[], from: string): void {
  // A loop says more about the file than the counters around it.
  const nodes = [...all.filter(({ opType }) => CONTROL_FLOW.includes(opType)), ...all];
  for (const node of nodes) {
    const { opType, domain } = node;
    if (domain !== '' && domain !== 'ai.onnx')
      throw new ImportError(
        `${nodeName(node, from)} is of the domain '${domain}', only ONNX's own operators are known. Export it without optimisations for one runtime.`,
      );
    if (!Object.hasOwn(OPERATIONS, opType))
      throw new ImportError(
        `${nodeName(node, from)} is no operation that a recurrent network with a linear head is made of (RNN, GRU, LSTM, or MatMul, Gemm, Add, Mul, Sigmoid, ` +
          `Tanh and what arranges them). ${CURES[opType] ?? 'Export the network without it'}.`,
      );
  }
}

function isSequenceLength(node: OnnxNode, index: number): boolean {
  return index === 4 && Object.hasOwn(RECURRENT_NODES, node.opType);
}

/** Names that the initial states of recurrent nodes come from; undefined where the graph has no such node, and states are found by algebra. */
function stateNames(nodes: readonly OnnxNode[]): Set<string> | undefined {
  const recurrent = nodes.filter(({ opType }) => Object.hasOwn(RECURRENT_NODES, opType));
  if (recurrent.length === 0) return undefined;
  const names = new Set(recurrent.flatMap(({ inputs }) => inputs.slice(5, 7)));
  // Backwards through what selects a layer's row; a recurrent node ends the way.
  for (const node of [...nodes].reverse())
    if (!Object.hasOwn(RECURRENT_NODES, node.opType) && node.outputs.some((name) => names.has(name)))
      for (const name of node.inputs) names.add(name);
  return names;
}

/** An input of the graph: the last axis is the vector; of a state, the first is its layers; all others are batch or time. */
function inputValue(
  input: OnnxValue,
  options: { readonly isState: boolean; readonly scope: GraphScope },
): SymbolicValue {
  const { isState, scope } = options;
  const { name, dims } = input;
  const where = `${scope.from}: input '${name}'`;
  const length = dims?.at(-1);
  if (!dims || dims.length > 4 || length === undefined || length > ROWS_MAX * 64)
    throw new ImportError(
      `${where} has the shape ${dims ? `[${dims.map((size) => size ?? '?').join(', ')}]` : 'unknown'}; ` +
        'its last size must be fixed, and it has at most 4 axes. Export it with shapes.',
    );
  const axes = dims.map((size, k): Axis => {
    if (k === dims.length - 1) return { kind: 'row', size: length };
    const isEnumerated = size === 1 || (isState && k === 0 && dims.length > 2 && size !== undefined);
    return isEnumerated ? { kind: 'count', size } : { kind: 'free', id: scope.nextAxis(), size };
  });
  const rows = axes[0].kind === 'count' ? axes[0].size : 1;
  if (rows > ROWS_MAX)
    throw new ImportError(`${where} has ${rows} rows, at most ${ROWS_MAX} layers are read. Export one step.`);
  return {
    kind: 'symbolic',
    axes,
    rows: Array.from({ length: rows }, (_, index) => [
      partOf(scope.algebra.atom({ kind: 'input', name, index, from: 0 }, length)),
    ]),
    isLast: false,
  };
}
