/** As much of ONNX's protobuf (onnx.proto3) as a graph of float32 tensors needs. Field numbers are those of the schema. */
import { bytesOf } from './vectors.ts';

const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;
const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const IR_VERSION = 8;
const OPSET = 17;

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
}

/** A name in `shape` is a dimension known at run time. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The bytes of an ONNX file. */
export function encodeOnnx(graph: OnnxGraph): Buffer {
  const body = Buffer.concat([
    ...graph.nodes.map((node) => message(1, encodeNode(node))),
    text(2, 'bench'),
    ...graph.tensors.map((tensor) => message(5, encodeTensor(tensor))),
    ...graph.inputs.map((value) => message(11, encodeValue(value))),
    ...graph.outputs.map((value) => message(12, encodeValue(value))),
  ]);
  return Buffer.concat([integer(1, IR_VERSION), message(7, body), message(8, integer(2, OPSET))]);
}

function encodeNode({ op, inputs, outputs, attributes = {} }: OnnxNode): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => message(5, encodeAttribute(name, value))),
  ]);
}

function encodeAttribute(name: string, value: number | string | readonly number[]): Buffer {
  if (typeof value === 'number') return Buffer.concat([text(1, name), integer(3, value), integer(20, ATTRIBUTE_INT)]);
  if (typeof value === 'string') return Buffer.concat([text(1, name), text(4, value), integer(20, ATTRIBUTE_STRING)]);
  return Buffer.concat([text(1, name), ...value.map((item) => integer(8, item)), integer(20, ATTRIBUTE_INTS)]);
}

function encodeTensor({ name, shape, values }: OnnxTensor): Buffer {
  const isFloat = values instanceof Float32Array;
  const bytes = isFloat ? bytesOf(values) : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const head = [...shape.map((size) => integer(1, size)), integer(2, isFloat ? FLOAT : INT64), text(8, name)];
  return Buffer.concat([...head, message(9, bytes)]);
}

function encodeValue({ name, shape }: OnnxValue): Buffer {
  const dimensions = shape.map((size) => message(1, typeof size === 'number' ? integer(1, size) : text(2, size)));
  const tensorType = Buffer.concat([integer(1, FLOAT), message(2, Buffer.concat(dimensions))]);
  return Buffer.concat([text(1, name), message(2, message(1, tensorType))]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8 + WIRE_VARINT), varint(value)]);
}

function message(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + WIRE_BYTES), varint(bytes.length), bytes]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}
