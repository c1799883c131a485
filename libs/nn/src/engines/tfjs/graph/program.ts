import { headInputSizeOf, type Model, recurrentInputSizeOf, stateSizeOf } from '../../../model.ts';
import { createLayer, type LayerState } from './cells.ts';
import { attribute, GraphBuilder, type Value } from './graph.ts';

/** Names of what is fed and fetched. */
export const FEEDS = { inputs: 'inputs', from: 'from', to: 'to', states: 'states', rows: 'rows' } as const;
export const FETCHES = { outputs: 'outputs', read: 'read', written: 'written', grown: 'grown', made: 'made' } as const;

/**
 * A model over a variable of states [rows][stateSize] that stays on the device, as a saved model. Its runs:
 * - `made`: the variable of `rows` rows of zeros. Must come first.
 * - `grown`: `rows` rows of zeros more.
 * - `outputs`: a step. Reads the states in rows `from` [B], advances them with `inputs` [B][inputSize], gives [B][outputSize], and writes the new
 *   states to rows `to` [B] once the outputs are there.
 * - `read`: the states in rows `from`, [B][stateSize].
 * - `written`: `states` [B][stateSize] written to rows `to`.
 */
export function encodeProgram(model: Model, options: { readonly fused: boolean }): Uint8Array {
  const { spec } = model;
  const graph = new GraphBuilder();
  const stateSize = stateSizeOf(spec);
  const variable = graph.add('VarHandleOp', [], {
    dtype: attribute.float32,
    shape: attribute.anyShape,
    shared_name: attribute.text('states'),
    container: attribute.text(''),
  });
  const from = graph.placeholder(FEEDS.from, 'int32');
  const to = graph.placeholder(FEEDS.to, 'int32');
  const inputs = graph.placeholder(FEEDS.inputs, 'float32');
  const gathered = graph.add('ResourceGather', [variable, from], {
    dtype: attribute.float32,
    Tindices: attribute.int32,
    batch_dims: attribute.int(0),
    validate_indices: attribute.bool(true),
  });
  const identity = (value: Value, waitsFor: Value, name: string): void => {
    graph.add('Identity', [value, `^${waitsFor}`], { T: attribute.float32 }, name);
  };
  graph.add('Identity', [gathered], { T: attribute.float32 }, FETCHES.read);
  const scatter = { dtype: attribute.float32, Tindices: attribute.int32 };
  const { outputs, states } = advance(graph, { model, fused: options.fused, inputs, states: gathered });
  identity(
    outputs,
    graph.add('ResourceScatterUpdate', [variable, to, states, `^${outputs}`], scatter),
    FETCHES.outputs,
  );
  const written = graph.placeholder(FEEDS.states, 'float32');
  const done = graph.constant(Float32Array.of(0), [1]);
  identity(done, graph.add('ResourceScatterUpdate', [variable, to, written], scatter), FETCHES.written);
  const zeros = graph.add('Fill', [rowsOf(graph, stateSize), graph.constant(Float32Array.of(0), [])], {
    T: attribute.float32,
    index_type: attribute.int32,
  });
  const assign = { dtype: attribute.float32, validate_shape: attribute.bool(false) };
  identity(done, graph.add('AssignVariableOp', [variable, zeros], assign), FETCHES.made);
  const before = graph.add('ReadVariableOp', [variable], { dtype: attribute.float32 });
  const longer = graph.add('ConcatV2', [before, zeros, graph.constant(Int32Array.of(0), [])], {
    T: attribute.float32,
    N: attribute.int(2),
    Tidx: attribute.int32,
  });
  identity(done, graph.add('AssignVariableOp', [variable, longer], assign), FETCHES.grown);
  return graph.savedModel();
}

/** Shape [rows, stateSize]. */
function rowsOf(graph: GraphBuilder, stateSize: number): Value {
  const rows = graph.placeholder(FEEDS.rows, 'int32');
  return graph.add(
    'ConcatV2',
    [rows, graph.constant(Int32Array.of(stateSize), [1]), graph.constant(Int32Array.of(0), [])],
    {
      T: attribute.int32,
      N: attribute.int(2),
      Tidx: attribute.int32,
    },
  );
}

/** One step of the input layer, all layers and the head; states laid out as `stateSizeOf` says. */
function advance(
  graph: GraphBuilder,
  given: { readonly model: Model; readonly fused: boolean; readonly inputs: Value; readonly states: Value },
): { readonly outputs: Value; readonly states: Value } {
  const { spec, weights } = given.model;
  const { layers, hiddenSize, inputSize, outputSize, skipConnection } = spec;
  const parts = graph.split(
    given.states,
    Array.from({ length: stateSizeOf(spec) / hiddenSize }, () => hiddenSize),
  );
  const { inputW, inputB } = weights;
  const v =
    inputW && inputB
      ? graph.apply(
          spec.inputActivation === 'relu' ? 'Relu' : 'Tanh',
          graph.dense(
            given.inputs,
            graph.constant(transposed(inputW, inputB.length, inputSize), [inputSize, inputB.length]),
            graph.constant(inputB, [inputB.length]),
          ),
        )
      : given.inputs;
  let x = v;
  const after: LayerState[] = weights.layers.map((layer, l) => {
    const nodes = createLayer({
      ...{ graph, spec, fused: given.fused, weights: layer },
      inputSize: l === 0 ? recurrentInputSizeOf(spec) : hiddenSize,
    });
    const state = nodes(x, { h: parts[l], c: spec.cell === 'lstm' ? parts[layers + l] : null });
    x = state.h;
    return state;
  });
  const size = headInputSizeOf(spec);
  const outputs = graph.dense(
    skipConnection ? graph.beside([x, v]) : x,
    graph.constant(transposed(weights.headW, outputSize, size), [size, outputSize]),
    graph.constant(weights.headB, [outputSize]),
  );
  const carried = after.flatMap(({ c }) => (c === null ? [] : [c]));
  return { outputs, states: graph.beside([...after.map(({ h }) => h), ...carried]) };
}

/** [rows][columns] to [columns][rows]. */
function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: matrix.length }, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]);
}
