import { ImportError } from '../import-error.ts';
import type { OnnxAttribute, OnnxNode } from './proto.ts';
import type { RowAlgebra } from './row-algebra.ts';
import { type Axis, type ConstantValue, gridShape, rowAxis, type SymbolicValue, type Value } from './value.ts';

/** Vectors of a symbolic tensor at most (layers and states, one each), and values of a vector. */
const ROWS_MAX = 1_024;
const LENGTH_MAX = 2 ** 18;
/** AttributeProto.AttributeType. */
const ATTRIBUTE_INT = 2;

/** What the walk over a graph shares with its operations. */
export interface GraphScope {
  readonly from: string;
  readonly opset: number;
  readonly algebra: RowAlgebra;
  readonly constantOf: (attribute: OnnxAttribute, where: string) => ConstantValue;
  /** Sentences for the card. */
  readonly notes: Set<string>;
  /** The axis that recurrent nodes run along; undefined before the first. */
  timeAxis: number | undefined;
  /** A new number for a free axis. */
  nextAxis(): number;
}

/** A node with the values of its inputs. Every doubt about it is said with its name. */
export class GraphNode {
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly string[];
  readonly opType: string;
  readonly scope: GraphScope;
  readonly where: string;
  readonly #attributes: ReadonlyMap<string, OnnxAttribute>;

  constructor(node: OnnxNode, inputs: readonly (Value | undefined)[], scope: GraphScope) {
    this.inputs = inputs;
    this.outputs = node.outputs;
    this.opType = node.opType;
    this.scope = scope;
    this.where = nodeName(node, scope.from);
    this.#attributes = node.attributes;
  }

  /** Throws ImportError where the node has an attribute that is not in `known`. */
  assertOnly(...known: readonly string[]): void {
    for (const [name, attribute] of this.#attributes)
      if (!known.includes(name))
        this.refuse(`has the attribute ${name} = ${shown(attribute)}, which is not known here`, 'Export it without');
  }

  attribute(name: string): OnnxAttribute | undefined {
    return this.#attributes.get(name);
  }

  int(name: string, otherwise: number): number {
    const attribute = this.#attributes.get(name);
    if (!attribute) return otherwise;
    if (attribute.type !== ATTRIBUTE_INT && attribute.type !== 0)
      this.refuse(`has ${name} = ${shown(attribute)}, must be a whole number`);
    return attribute.i;
  }

  /** An input that must be there. */
  value(index: number): Value {
    return this.inputs[index] ?? this.refuse(`has no input ${index}`);
  }

  symbolic(index: number): SymbolicValue {
    const value = this.value(index);
    return value.kind === 'symbolic'
      ? value
      : this.refuse(`takes a constant as input ${index}`, 'Simplify the graph (onnxsim)');
  }

  constant(index: number): ConstantValue {
    const value = this.value(index);
    return value.kind === 'constant'
      ? value
      : this.refuse(`takes input ${index} from a computation, must be a constant`);
  }

  /** Whole numbers from an attribute, or (later operator sets) from an input; undefined where there is neither. */
  ints(name: string, index: number): readonly number[] | undefined {
    const attribute = this.#attributes.get(name);
    if (attribute) return attribute.ints.length > 0 ? attribute.ints : [attribute.i];
    if (!this.inputs[index]) return undefined;
    return Array.from(this.constant(index).values);
  }

  /** An axis counted from the front; negative ones count from the back. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(counted) || counted < 0 || counted >= rank) this.refuse(`names the axis ${axis} of ${rank}`);
    return counted;
  }

  /** Throws ImportError where a symbolic tensor would be far larger than a network's states are. */
  assertExtent(axes: readonly Axis[]): void {
    const rows = gridShape(axes).reduce((product, size) => product * size, 1);
    const length = axes[rowAxis(axes)]?.size ?? 0;
    if (rows > ROWS_MAX || length > LENGTH_MAX)
      this.refuse(`makes ${rows} vectors of ${length}, at most ${ROWS_MAX} of ${LENGTH_MAX} are followed`);
    this.scope.algebra.spend(rows + length);
  }

  refuse(what: string, cure = 'Export one step of the network, or the network with its LSTM, GRU or RNN node'): never {
    throw new ImportError(`${this.where} ${what}. ${cure}.`);
  }
}

export function nodeName(node: OnnxNode, from: string): string {
  const name = node.name === '' ? (node.outputs[0] ?? '') : node.name;
  return `${from}: node '${name}' (${node.opType})`;
}

/** An attribute's value, as a person reads it. */
function shown(attribute: OnnxAttribute): string {
  const { type, f, i, s, t, ints, strings, isOther } = attribute;
  if (t || isOther) return t ? 'a tensor' : 'a graph';
  if (strings.length > 0) return `[${strings.join(', ')}]`;
  if (ints.length > 0) return `[${ints.slice(0, 8).join(', ')}]`;
  if (s !== '') return `'${s.slice(0, 40)}'`;
  return String(type === 1 ? f : i);
}
