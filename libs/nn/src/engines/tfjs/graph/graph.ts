import { bytesField, floatField, intField, message } from './protobuf.ts';

/** TensorFlow's numbers of element types (tensorflow/core/framework/types.proto). */
const FLOAT = 1;
const INT32 = 3;
/** GraphDef version that TensorFlow 2.15 writes, and the oldest reader that it asks for. */
const PRODUCER = 1645;
const CONSUMER_MIN = 12;
/** The tag under which a saved model is loaded. */
export const GRAPH_TAG = 'tideline';

/** A value of a graph: a node's name, with `:k` its k-th output; `^name` as an input makes a node wait for another. */
export type Value = string;

/** Attributes by TensorFlow's names: encoded AttrValue messages. */
export type Attributes = Readonly<Record<string, Uint8Array>>;

/** AttrValue messages (tensorflow/core/framework/attr_value.proto). */
export const attribute = {
  float32: intField(6, FLOAT),
  int32: intField(6, INT32),
  /** Any shape. */
  anyShape: bytesField(7, intField(3, 1)),
  int: (value: number) => intField(3, value),
  float: (value: number) => floatField(4, value),
  bool: (value: boolean) => intField(5, value ? 1 : 0),
  text: (value: string) => bytesField(2, value),
} as const;

const OF_FLOAT: Attributes = { T: attribute.float32 };

/** Builds a TensorFlow graph node by node and writes it as a saved model. Only the ops that a recurrent step needs. */
export class GraphBuilder {
  readonly #nodes: Uint8Array[] = [];
  #named = 0;

  /** A node of any op (its name and attributes as in TensorFlow's op definitions); the name is made up unless given. */
  add(op: string, inputs: readonly Value[], attributes: Attributes, name?: string): Value {
    this.#named += 1;
    const chosen = name ?? `${op}_${this.#named}`;
    const fields = [bytesField(1, chosen), bytesField(2, op), ...inputs.map((input) => bytesField(3, input))];
    for (const [attributeName, value] of Object.entries(attributes))
      fields.push(bytesField(5, message([bytesField(1, attributeName), bytesField(2, value)])));
    this.#nodes.push(bytesField(1, message(fields)));
    return chosen;
  }

  constant(values: Float32Array | Int32Array, shape: readonly number[], waitsFor: readonly Value[] = []): Value {
    const type = values instanceof Float32Array ? FLOAT : INT32;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const sizes = shape.map((size) => bytesField(2, intField(1, size)));
    const tensor = message([intField(1, type), bytesField(2, message(sizes)), bytesField(4, bytes)]);
    return this.add('Const', waitsFor, { dtype: intField(6, type), value: bytesField(8, tensor) });
  }

  /** A value that is fed; rows are free. */
  placeholder(name: string, type: 'float32' | 'int32'): Value {
    return this.add('Placeholder', [], { dtype: attribute[type], shape: attribute.anyShape }, name);
  }

  /** An op on float32 with no attribute but its type: Sigmoid, Tanh, Mul, AddV2, Sub. */
  apply(op: 'Sigmoid' | 'Tanh' | 'Relu' | 'Mul' | 'AddV2' | 'Sub', ...inputs: readonly Value[]): Value {
    return this.add(op, inputs, OF_FLOAT);
  }

  /** x [B][I] times w [I][O], plus b [O]. */
  dense(x: Value, w: Value, b: Value): Value {
    const product = this.add('MatMul', [x, w], {
      ...OF_FLOAT,
      transpose_a: attribute.bool(false),
      transpose_b: attribute.bool(false),
    });
    return this.add('BiasAdd', [product, b], { ...OF_FLOAT, data_format: attribute.text('NHWC') });
  }

  /** Values side by side: [B][n1], [B][n2] to [B][n1 + n2]. */
  beside(values: readonly Value[]): Value {
    if (values.length === 1) return values[0];
    const axis = this.constant(Int32Array.of(1), []);
    return this.add('ConcatV2', [...values, axis], {
      ...OF_FLOAT,
      N: attribute.int(values.length),
      Tidx: attribute.int32,
    });
  }

  /** The opposite: columns of `sizes`. */
  split(value: Value, sizes: readonly number[]): Value[] {
    if (sizes.length === 1) return [value];
    const lengths = this.constant(Int32Array.from(sizes), [sizes.length]);
    const axis = this.constant(Int32Array.of(1), []);
    const node = this.add('SplitV', [value, lengths, axis], {
      ...OF_FLOAT,
      Tlen: attribute.int32,
      num_split: attribute.int(sizes.length),
    });
    return sizes.map((_, i) => (i === 0 ? node : `${node}:${i}`));
  }

  /** SavedModel { version 1, MetaGraphDef { tags, GraphDef { nodes, versions } } } (tensorflow/core/protobuf). */
  savedModel(): Uint8Array {
    const versions = message([intField(1, PRODUCER), intField(2, CONSUMER_MIN)]);
    const graph = message([...this.#nodes, bytesField(4, versions)]);
    const metaGraph = message([bytesField(1, bytesField(4, GRAPH_TAG)), bytesField(2, graph)]);
    return message([intField(1, 1), bytesField(2, metaGraph)]);
  }
}
