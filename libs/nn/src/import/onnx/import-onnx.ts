/** ONNX models: recurrent nodes, or one step of a cell in elementary operations. Weights are read, code is not: nothing in the file is run. */
import { ImportError } from '../import-error.ts';
import type { ImportedWeights } from '../imported-weights.ts';
import type { GraphScope } from './graph-node.ts';
import { walkGraph } from './graph-walk.ts';
import { networkOf } from './network.ts';
import { type OnnxModel, type OnnxTensor, readOnnxModel } from './proto.ts';
import { RowAlgebra } from './row-algebra.ts';
import { constantOf, type ReadExternal } from './tensor.ts';

/** Of ONNX 1.23. */
const OPSET_MAX = 28;
const EXTERNAL_FILES_MAX = 1_000;

/** The network in an ONNX file's bytes; `read` gives files beside it (external data). Throws ImportError that names the first node at fault. */
export async function importOnnx(
  bytes: Buffer,
  options: { readonly from: string; readonly read: (path: string) => Promise<Buffer> },
): Promise<ImportedWeights> {
  const { from } = options;
  const model = decode(bytes, from);
  const { graph, functions, opset } = model;
  if (!graph || graph.outputs.length === 0)
    throw new ImportError(
      `${from} holds no ONNX graph with outputs. It is damaged or another format: export it again.`,
    );
  if (functions.length > 0)
    throw new ImportError(
      `${from} defines the function '${functions[0]}'. Export it with functions inlined (onnx.inliner).`,
    );
  if (graph.hasSparseInitializer) throw new ImportError(`${from} has sparse weights. Export them dense.`);
  if (opset > OPSET_MAX)
    throw new ImportError(
      `${from} uses operator set ${opset}, at most ${OPSET_MAX} is known. Export it with opset_version=17.`,
    );
  const readExternal = await externalFiles(model, options);
  const scope = scopeOf(from, opset, readExternal);
  const { inputs, outputs } = walkGraph(graph, { from, opset, readExternal }, scope);
  const network = networkOf({ from, algebra: scope.algebra, inputs, outputs });
  return { ...network, notes: [...network.notes, ...scope.notes] };
}

function decode(bytes: Buffer, from: string): OnnxModel {
  try {
    return readOnnxModel(bytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImportError(`${from} is no whole ONNX file (${why}). Copy or export it again.`, { cause });
  }
}

function scopeOf(from: string, opset: number, readExternal: ReadExternal): GraphScope {
  let axes = 0;
  return {
    from,
    opset,
    algebra: new RowAlgebra(),
    notes: new Set(),
    timeAxis: undefined,
    nextAxis: () => {
      axes += 1;
      return axes;
    },
    constantOf: ({ t }, where) => {
      if (!t) throw new ImportError(`${where} holds no tensor. Export it again.`);
      return constantOf(t, where, readExternal);
    },
  };
}

/** All files beside the model that tensors lie in, read once. */
async function externalFiles(
  { graph }: OnnxModel,
  options: { readonly from: string; readonly read: (path: string) => Promise<Buffer> },
): Promise<ReadExternal> {
  const tensors: OnnxTensor[] = [
    ...(graph?.initializers ?? []),
    ...(graph?.nodes ?? []).flatMap(({ attributes }) => [...attributes.values()].flatMap(({ t }) => (t ? [t] : []))),
  ];
  const locations = new Set(tensors.flatMap(({ external }) => (external ? [external.get('location') ?? ''] : [])));
  if (locations.size > EXTERNAL_FILES_MAX)
    throw new ImportError(
      `${options.from} names ${locations.size} files beside it, at most ${EXTERNAL_FILES_MAX}. Save its weights in one file.`,
    );
  const files = new Map<string, Buffer>();
  for (const location of locations) files.set(location, await options.read(location));
  return (location) => files.get(location) ?? Buffer.alloc(0);
}
