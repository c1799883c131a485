/**
 * The part of onnx.proto that a recurrent model needs, read with the wire reader of @bufbuild/protobuf. Field numbers are those of ONNX IR
 * version 10 (github.com/onnx/onnx, onnx/onnx.proto, Apache-2.0); unknown fields are skipped, as protobuf says.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** TensorProto.DataType. */
  readonly dataType: number;
  /** The values in one of the fields that ONNX has for them: little-endian, or (int32Data, int64Data) varints. */
  readonly rawData: Uint8Array | undefined;
  readonly floatData: Uint8Array | undefined;
  readonly int32Data: Uint8Array | undefined;
  readonly int64Data: Uint8Array | undefined;
  readonly doubleData: Uint8Array | undefined;
  /** Where the values lie in another file: location, offset, length. */
  readonly external: ReadonlyMap<string, string> | undefined;
}

export interface OnnxAttribute {
  readonly name: string;
  /** AttributeProto.AttributeType; 0 in files before IR version 2. */
  readonly type: number;
  readonly f: number;
  readonly i: number;
  readonly s: string;
  readonly t: OnnxTensor | undefined;
  readonly ints: readonly number[];
  readonly strings: readonly string[];
  /** It holds a subgraph, a sparse tensor or a type. */
  readonly isOther: boolean;
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxValue {
  readonly name: string;
  /** Sizes, undefined where dynamic; undefined as a whole where the file says none. */
  readonly dims: readonly (number | undefined)[] | undefined;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly hasSparseInitializer: boolean;
}

export interface OnnxModel {
  readonly producer: string;
  /** Version of the default operator set; 0 where none is named. */
  readonly opset: number;
  readonly graph: OnnxGraph | undefined;
  /** Names of functions that the file defines itself. */
  readonly functions: readonly string[];
}

/** Numbers in a repeated field at most (shapes, axes, sizes of a split). */
const INTS_MAX = 65_536;

type OnField = (field: number, wire: WireType, reader: BinaryReader) => boolean;

/** Reads fields until the end of `bytes`; `on` returns false for a field that it does not read. Throws whatever the reader throws. */
function readFields(bytes: Uint8Array, on: OnField): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (!on(field, wire, reader)) reader.skip(wire, field);
    if (reader.pos > reader.len) throw new RangeError('a field reaches beyond the end');
  }
}

function readInts(wire: WireType, reader: BinaryReader, into: number[]): true {
  const from = wire === WireType.LengthDelimited ? new BinaryReader(reader.bytes()) : reader;
  do {
    if (from !== reader && from.pos >= from.len) break;
    into.push(Number(from.int64()));
    if (into.length > INTS_MAX) throw new RangeError(`more than ${INTS_MAX} numbers`);
  } while (from !== reader);
  return true;
}

/** The model in a file's bytes. Throws whatever the reader throws where they are no protobuf. */
export function readOnnxModel(bytes: Uint8Array): OnnxModel {
  const model = { producer: '', opset: 0, functions: [] as string[], graph: undefined as OnnxGraph | undefined };
  readFields(bytes, (field, _wire, reader) => {
    if (field === 2) model.producer = reader.string();
    else if (field === 7) model.graph = readGraph(reader.bytes());
    else if (field === 8) model.opset = Math.max(model.opset, readOpset(reader.bytes()));
    else if (field === 25) model.functions.push(readName(reader.bytes(), 1));
    else return false;
    return true;
  });
  return model;
}

function readOpset(bytes: Uint8Array): number {
  let domain = '';
  let version = 0;
  readFields(bytes, (field, _wire, reader) => {
    if (field === 1) domain = reader.string();
    else if (field === 2) version = Number(reader.int64());
    else return false;
    return true;
  });
  return domain === '' || domain === 'ai.onnx' ? version : 0;
}

function readName(bytes: Uint8Array, number: number): string {
  let name = '';
  readFields(bytes, (field, _wire, reader) => {
    if (field !== number) return false;
    name = reader.string();
    return true;
  });
  return name;
}

function readGraph(bytes: Uint8Array): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  let hasSparseInitializer = false;
  readFields(bytes, (field, _wire, reader) => {
    if (field === 1) nodes.push(readNode(reader.bytes()));
    else if (field === 5) initializers.push(readTensor(reader.bytes()));
    else if (field === 11) inputs.push(readValue(reader.bytes()));
    else if (field === 12) outputs.push(readValue(reader.bytes()));
    else {
      hasSparseInitializer ||= field === 15;
      return false;
    }
    return true;
  });
  return { nodes, initializers, inputs, outputs, hasSparseInitializer };
}

function readNode(bytes: Uint8Array): OnnxNode {
  const node = { name: '', opType: '', domain: '' };
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  readFields(bytes, (field, _wire, reader) => {
    if (field === 1) inputs.push(reader.string());
    else if (field === 2) outputs.push(reader.string());
    else if (field === 3) node.name = reader.string();
    else if (field === 4) node.opType = reader.string();
    else if (field === 5) {
      const attribute = readAttribute(reader.bytes());
      attributes.set(attribute.name, attribute);
    } else if (field === 7) node.domain = reader.string();
    else return false;
    return true;
  });
  return { ...node, inputs, outputs, attributes };
}

function readAttribute(bytes: Uint8Array): OnnxAttribute {
  const attribute = { name: '', type: 0, f: 0, i: 0, s: '', t: undefined as OnnxTensor | undefined, isOther: false };
  const ints: number[] = [];
  const strings: string[] = [];
  readFields(bytes, (field, wire, reader) => {
    if (field === 1) attribute.name = reader.string();
    else if (field === 2) attribute.f = reader.float();
    else if (field === 3) attribute.i = Number(reader.int64());
    else if (field === 4) attribute.s = reader.string();
    else if (field === 5) attribute.t = readTensor(reader.bytes());
    else if (field === 8) readInts(wire, reader, ints);
    else if (field === 9) strings.push(reader.string());
    else if (field === 20) attribute.type = reader.int32();
    else {
      attribute.isOther ||= field !== 7 && field !== 13; // floats of an activation, and free text
      return false;
    }
    return true;
  });
  return { ...attribute, ints, strings };
}

function readTensor(bytes: Uint8Array): OnnxTensor {
  const tensor: { -readonly [K in keyof OnnxTensor]: OnnxTensor[K] } = {
    name: '',
    dims: [],
    dataType: 0,
    rawData: undefined,
    floatData: undefined,
    int32Data: undefined,
    int64Data: undefined,
    doubleData: undefined,
    external: undefined,
  };
  const dims: number[] = [];
  const external = new Map<string, string>();
  let isExternal = false;
  readFields(bytes, (field, wire, reader) => {
    if (field === 1) readInts(wire, reader, dims);
    else if (field === 2) tensor.dataType = reader.int32();
    else if (field === 4) tensor.floatData = reader.bytes();
    else if (field === 5) tensor.int32Data = reader.bytes();
    else if (field === 7) tensor.int64Data = reader.bytes();
    else if (field === 8) tensor.name = reader.string();
    else if (field === 9) tensor.rawData = reader.bytes();
    else if (field === 10) tensor.doubleData = reader.bytes();
    else if (field === 13) external.set(...readEntry(reader.bytes()));
    else if (field === 14) isExternal = reader.int32() === 1;
    else return false;
    return true;
  });
  return { ...tensor, dims, external: isExternal ? external : undefined };
}

/** StringStringEntryProto. */
function readEntry(bytes: Uint8Array): [string, string] {
  return [readName(bytes, 1), readName(bytes, 2)];
}

/** ValueInfoProto: name, type.tensor_type.shape.dim[].dim_value. */
function readValue(bytes: Uint8Array): OnnxValue {
  let name = '';
  let dims: (number | undefined)[] | undefined;
  const readShape = (shape: Uint8Array): void => {
    const sizes: (number | undefined)[] = [];
    readFields(shape, (field, _wire, reader) => {
      if (field !== 1) return false;
      sizes.push(readSize(reader.bytes()));
      return true;
    });
    dims = sizes;
  };
  const inside =
    (number: number, next: (bytes: Uint8Array) => void) =>
    (field: number, _wire: WireType, reader: BinaryReader): boolean => {
      if (field !== number) return false;
      next(reader.bytes());
      return true;
    };
  readFields(bytes, (field, _wire, reader) => {
    if (field === 1) name = reader.string();
    else if (field === 2)
      readFields(
        reader.bytes(),
        inside(1, (type) => readFields(type, inside(2, readShape))),
      );
    else return false;
    return true;
  });
  return { name, dims };
}

function readSize(bytes: Uint8Array): number | undefined {
  let size: number | undefined;
  readFields(bytes, (field, _wire, reader) => {
    if (field !== 1) return false;
    size = Number(reader.int64());
    return true;
  });
  // Exporters write 0 or -1 for a size that they do not know.
  return size !== undefined && size > 0 ? size : undefined;
}
