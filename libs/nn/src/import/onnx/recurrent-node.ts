/**
 * ONNX's LSTM, GRU and RNN nodes. W [1][G*H][I], R [1][G*H][H], B [1][2*G*H] (Wb, then Rb), P [1][3*H]; gates i, o, f, c (LSTM) and z, r, h (GRU).
 * Source: github.com/onnx/onnx, docs/Operators.md.
 */
import { type CellKind, GATES, type LayerWeights } from '../../model.ts';
import type { GraphNode } from './graph-node.ts';
import type { RecurrentLayer, StateInput } from './recurrent-layer.ts';
import { partOf, soleAtom } from './row.ts';
import { uniformValue } from './tensor.ts';
import type { Axis, ConstantValue, SymbolicValue, Value } from './value.ts';

export const RECURRENT_NODES = { LSTM: 'lstm', GRU: 'gru', RNN: 'rnn' } as const satisfies Record<string, CellKind>;

/** Our gate k is ONNX's gate ORDER[k]. */
const ORDER = { rnn: [0], lstm: [0, 2, 3, 1], gru: [1, 0, 2] } as const satisfies Record<CellKind, readonly number[]>;
const ACTIVATIONS = {
  rnn: ['tanh'],
  lstm: ['sigmoid', 'tanh', 'tanh'],
  gru: ['sigmoid', 'tanh'],
} as const satisfies Record<CellKind, readonly string[]>;
const PEEPHOLE_INPUT = 7;
const PEEPHOLE_ORDER = [0, 2, 1];

export function recurrentNode(node: GraphNode): Value[] {
  const cell = RECURRENT_NODES[node.opType as keyof typeof RECURRENT_NODES];
  assertAttributes(node, cell);
  const isBatchFirst = node.int('layout', 0) === 1;
  const x = node.symbolic(0);
  const time = timeAxisOf(node, x, isBatchFirst);
  const peephole = peepholeOf(node);
  const weights = { ...weightsOf(node, cell), ...(peephole && { peephole }) };
  const hiddenSize = weights.wHh.length / weights.bHh.length;
  const [row] = x.rows;
  if (weights.wIh.length !== weights.bIh.length * (x.axes[2].size ?? 0))
    node.refuse(`reads vectors of ${x.axes[2].size}, its W has ${weights.wIh.length} values`);
  const layer: RecurrentLayer = {
    where: node.where,
    cell,
    ...(cell === 'gru' && { gruReset: node.int('linear_before_reset', 0) === 0 ? 'before' : 'after' }),
    hiddenSize,
    input: row,
    weights,
    states: { h: stateOf(node, 5), c: cell === 'lstm' ? stateOf(node, 6) : undefined },
  };
  if (time.kind === 'count' && !layer.states.h)
    node.scope.notes.add('The file starts every step from zero; here the state is carried from record to record.');
  return outputsOf(node, layer, { time, batch: x.axes[isBatchFirst ? 0 : 1], isBatchFirst });
}

function assertAttributes(node: GraphNode, cell: CellKind): void {
  node.assertOnly(
    ...[
      'activations',
      'activation_alpha',
      'activation_beta',
      'clip',
      'direction',
      'hidden_size',
      'layout',
      'input_forget',
    ],
    ...(cell === 'gru' ? ['linear_before_reset'] : []),
  );
  const direction = node.attribute('direction')?.s ?? 'forward';
  if (direction !== 'forward')
    node.refuse(
      `has direction = '${direction}', must be 'forward'`,
      'A state cannot be carried backwards in time: train it one-directional',
    );
  const activations = node.attribute('activations')?.strings ?? ACTIVATIONS[cell];
  if (activations.join().toLowerCase() !== ACTIVATIONS[cell].join())
    node.refuse(
      `has activations = [${activations.join(', ')}], must be [${ACTIVATIONS[cell].join(', ')}]`,
      'Train it with the usual activations',
    );
  for (const name of ['clip', 'input_forget'] as const)
    if (node.attribute(name) && (node.attribute(name)?.f !== 0 || node.attribute(name)?.i !== 0))
      node.refuse(`has the attribute ${name}`, 'Train it without');
}

/** The axis that the node runs along, which is one and the same for all layers. */
function timeAxisOf(node: GraphNode, x: SymbolicValue, isBatchFirst: boolean): Axis {
  const { scope } = node;
  if (x.axes.length !== 3 || x.axes[2].kind !== 'row' || x.rows.length !== 1)
    node.refuse(`reads [${x.axes.map(({ size }) => size ?? '?').join(', ')}], must be [time, batch, vector]`);
  if (x.isLast)
    node.refuse('reads the last step alone of the layer below', 'Stack layers that read every step of the one below');
  const time = x.axes[isBatchFirst ? 1 : 0];
  if (time.kind === 'free') {
    scope.timeAxis ??= time.id;
    if (time.id !== scope.timeAxis)
      node.refuse('runs along another axis than the layer below', 'Run all layers along time');
  }
  if (node.inputs[4])
    scope.notes.add('The file can end rows of a batch early (sequence_lens); here every record is a step.');
  return time;
}

function weightsOf(node: GraphNode, cell: CellKind): LayerWeights {
  const [w, r] = [node.constant(1), node.constant(2)];
  const gates = GATES[cell];
  const hiddenSize = r.shape[2] ?? 0;
  const rows = gates * hiddenSize;
  const expect = (value: ConstantValue, name: string, shape: readonly number[]): void => {
    if (value.shape.join() !== shape.join() || hiddenSize === 0)
      node.refuse(`has ${name} of shape [${value.shape.join(', ')}], must be [${shape.join(', ')}]`, 'Export it again');
  };
  expect(r, 'R', [1, rows, hiddenSize]);
  expect(w, 'W', [1, rows, w.shape[2]]);
  if (node.int('hidden_size', hiddenSize) !== hiddenSize)
    node.refuse(`has hidden_size = ${node.int('hidden_size', 0)}, its R has ${hiddenSize}`, 'Export it again');
  const b = node.inputs[3] ? node.constant(3) : undefined;
  if (b) expect(b, 'B', [1, 2 * rows]);
  node.scope.algebra.claim(w.values.length + r.values.length);
  const reorder = (values: ArrayLike<number>, from: number, columns: number): Float32Array => {
    const block = hiddenSize * columns;
    return Float32Array.from({ length: gates * block }, (_, at) => {
      const gate = ORDER[cell][Math.floor(at / block)];
      return values[from + gate * block + (at % block)];
    });
  };
  return {
    wIh: reorder(w.values, 0, w.shape[2]),
    wHh: reorder(r.values, 0, hiddenSize),
    bIh: b ? reorder(b.values, 0, 1) : new Float32Array(rows),
    bHh: b ? reorder(b.values, rows, 1) : new Float32Array(rows),
  };
}

/** P [1][3*H], gates i, o, f, as i, f, o. */
function peepholeOf(node: GraphNode): Float32Array | undefined {
  if (!node.inputs[PEEPHOLE_INPUT]) return undefined;
  const { shape, values } = node.constant(PEEPHOLE_INPUT);
  const size = node.constant(2).shape[2] ?? 0;
  if (node.opType !== 'LSTM' || shape.join() !== `1,${3 * size}`)
    node.refuse(`has P of shape [${shape.join(', ')}], must be [1, ${3 * size}]`);
  return Float32Array.from({ length: 3 * size }, (_, at) => {
    const gate = PEEPHOLE_ORDER[Math.floor(at / size)];
    return values[gate * size + (at % size)];
  });
}

/** A state that starts at zero, or that is a whole input of the graph. */
function stateOf(node: GraphNode, index: number): StateInput | undefined {
  const value = node.inputs[index];
  const name = index === 5 ? 'initial_h' : 'initial_c';
  if (!value) return undefined;
  if (value.kind !== 'symbolic') {
    if ((value.kind === 'fill' ? value.value : uniformValue(value)) === 0) return undefined;
    return node.refuse(`starts ${name} at numbers that are not zero`, 'Start it at zero or take it as an input');
  }
  const [row] = value.rows;
  const atom = value.rows.length === 1 && row.length === 1 ? soleAtom(row[0]) : undefined;
  if (atom?.is.kind !== 'input' || atom.is.from !== 0)
    return node.refuse(`starts ${name} at a computed value`, 'Start it at zero or take it as an input');
  return { name: atom.is.name, index: atom.is.index };
}

function outputsOf(
  node: GraphNode,
  layer: RecurrentLayer,
  axes: { readonly time: Axis; readonly batch: Axis; readonly isBatchFirst: boolean },
): Value[] {
  const { time, batch, isBatchFirst } = axes;
  const { algebra } = node.scope;
  const row: Axis = { kind: 'row', size: layer.hiddenSize };
  const direction: Axis = { kind: 'count', size: 1 };
  const state = (kind: 'h' | 'c'): SymbolicValue['rows'] => [
    [partOf(algebra.atom({ kind: 'state', layer, state: kind, from: 0 }, layer.hiddenSize))],
  ];
  const rows = state('h');
  const every = isBatchFirst ? [batch, time, direction, row] : [time, direction, batch, row];
  const last = isBatchFirst ? [batch, direction, row] : [direction, batch, row];
  const isLast = time.kind === 'free';
  const values: Value[] = [
    { kind: 'symbolic', axes: every, rows, isLast: false },
    { kind: 'symbolic', axes: last, rows, isLast },
  ];
  if (layer.cell === 'lstm') values.push({ kind: 'symbolic', axes: last, rows: state('c'), isLast });
  return values;
}
