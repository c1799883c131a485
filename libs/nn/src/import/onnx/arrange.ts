/** Operations that only arrange axes: Identity, Cast, Dropout, Transpose, Squeeze, Unsqueeze, Reshape, Flatten. */

import type { GraphNode } from './graph-node.ts';
import { permuteCells } from './grid.ts';
import { type Axis, gridShape, rowAxis, type SymbolicValue, type Value } from './value.ts';

const RANK_MAX = 8;

/** TensorProto.DataType of floating point numbers. */
const FLOATING = [1, 10, 11, 16];

/** Weights keep their values; numbers that became whole stay so. */
export function cast(node: GraphNode): Value[] {
  const value = node.value(0);
  const isInteger = !FLOATING.includes(node.int('to', 1));
  if (value.kind === 'symbolic' && isInteger) node.refuse('rounds a computed value to whole numbers');
  if (value.kind !== 'constant') return [value];
  const values = isInteger && !value.isInteger ? Array.from(value.values, Math.trunc) : value.values;
  return [{ ...value, values, isInteger }];
}

export function identity(node: GraphNode): Value[] {
  const value = node.value(0);
  return node.outputs.map((_, i) => (i === 0 ? value : { kind: 'fill', value: 1 }));
}

/** A trained model runs with dropout off; a training graph is refused. */
export function dropout(node: GraphNode): Value[] {
  const training = node.inputs[2];
  if (training && !(training.kind === 'constant' && training.values[0] === 0))
    node.refuse('may drop values (training_mode)', 'Export the model in evaluation mode (model.eval())');
  return identity(node);
}

export function transpose(node: GraphNode): Value[] {
  const value = node.value(0);
  if (value.kind === 'fill') return [value];
  const rank = value.kind === 'constant' ? value.shape.length : value.axes.length;
  const perm = node.attribute('perm')?.ints ?? Array.from({ length: rank }, (_, k) => rank - 1 - k);
  if (perm.length !== rank || new Set(perm).size !== rank || perm.some((axis) => axis < 0 || axis >= rank))
    node.refuse(`has perm [${perm.join(', ')}] for ${rank} axes`);
  if (value.kind === 'constant') {
    node.scope.algebra.claim(value.values.length);
    return [
      {
        ...value,
        shape: perm.map((axis) => value.shape[axis]),
        values: permuteCells(value.values, value.shape, perm),
      },
    ];
  }
  const rows = permuteCells(value.rows, gridShape(value.axes), perm);
  return [{ ...value, axes: perm.map((axis) => value.axes[axis]), rows }];
}

export function squeeze(node: GraphNode): Value[] {
  const value = node.value(0);
  if (value.kind === 'fill') return [value];
  const rank = value.kind === 'constant' ? value.shape.length : value.axes.length;
  const isOne = (k: number): boolean => (value.kind === 'constant' ? value.shape[k] === 1 : isSingle(value.axes[k]));
  const given = node.ints('axes', 1)?.map((axis) => node.axis(axis, rank));
  const axes = given ?? Array.from({ length: rank }, (_, k) => k).filter(isOne);
  const wrong = axes.find((k) => !isOne(k));
  if (wrong !== undefined) node.refuse(`drops axis ${wrong}, whose size is not 1`);
  const keep = <T>(all: readonly T[]): T[] => all.filter((_, k) => !axes.includes(k));
  if (value.kind === 'constant') return [{ ...value, shape: keep(value.shape) }];
  return [{ ...value, axes: keep(value.axes) }];
}

/** Exporters drop a batch axis of size 1 only where the file says that it is 1. */
function isSingle(axis: Axis): boolean {
  return axis.kind === 'count' && axis.size === 1;
}

export function unsqueeze(node: GraphNode): Value[] {
  const value = node.value(0);
  if (value.kind === 'fill') return [value];
  const given = node.ints('axes', 1) ?? node.refuse('has no axes');
  const rank = (value.kind === 'constant' ? value.shape.length : value.axes.length) + given.length;
  if (rank > RANK_MAX) node.refuse(`makes ${rank} axes, at most ${RANK_MAX}`);
  const axes = new Set(given.map((axis) => node.axis(axis, rank)));
  if (axes.size !== given.length) node.refuse(`names an axis twice in [${given.join(', ')}]`);
  const widen = <T>(all: readonly T[], one: T): T[] => {
    const rest = all[Symbol.iterator]();
    return Array.from({ length: rank }, (_, k) => (axes.has(k) ? one : (rest.next().value as T)));
  };
  if (value.kind === 'constant') return [{ ...value, shape: widen(value.shape, 1) }];
  return [{ ...value, axes: widen<Axis>(value.axes, { kind: 'count', size: 1 }) }];
}

/** NaN in the target stands for a size that the file computes. */
export function reshape(node: GraphNode): Value[] {
  const value = node.value(0);
  if (value.kind === 'fill') return [value];
  const target = Array.from(node.constant(1).values);
  if (target.length > RANK_MAX) node.refuse(`makes ${target.length} axes, at most ${RANK_MAX}`);
  const sizes = value.kind === 'constant' ? value.shape : value.axes.map(({ size }) => size ?? Number.NaN);
  // 0 copies the size at the same place.
  const to = node.int('allowzero', 0) === 0 ? target.map((size, k) => (size === 0 ? (sizes[k] ?? 0) : size)) : target;
  if (value.kind === 'symbolic') return [{ ...value, axes: reshapedAxes(node, value, { target, to }) }];
  const known = to.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  const shape = to.map((size) => (size === -1 ? value.values.length / known : size));
  const isWhole = shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!isWhole || shape.reduce((product, size) => product * size, 1) !== value.values.length)
    node.refuse(`makes [${target.join(', ')}] of ${value.values.length} values`);
  return [{ ...value, shape }];
}

export function flatten(node: GraphNode): Value[] {
  const value = node.symbolic(0);
  const axis = node.axis(node.int('axis', 1), value.axes.length);
  if (axis !== value.axes.length - 1 && !value.axes.slice(1, -1).every(isSingle))
    node.refuse('merges several axes into one', 'Apply the head to each step or to the last step');
  const target = [-1, value.axes.at(-1)?.size ?? -1];
  return [{ ...value, axes: reshapedAxes(node, value, { target, to: target }) }];
}

/**
 * The axes of a symbolic tensor after a reshape. Axes of size 1 may come and go between the others; else the vector's axis must stay the last
 * and whole, while batch and time may be merged or split, because every position is the same function.
 */
function reshapedAxes(
  node: GraphNode,
  value: SymbolicValue,
  shapes: { readonly target: readonly number[]; readonly to: readonly number[] },
): Axis[] {
  const { target, to } = shapes;
  const rest = value.axes.filter((axis) => !isSingle(axis));
  const matched: Axis[] = [];
  for (const [k, size] of to.entries()) {
    const next = rest[matched.filter((axis) => !isSingle(axis)).length];
    const isCopied = target[k] === 0 && value.axes[k] === next;
    const fits =
      next && (isCopied || size === -1 || Number.isNaN(size) || next.size === undefined || next.size === size);
    if (size === 1 && !(next?.kind === 'row' && next.size === 1)) matched.push({ kind: 'count', size: 1 });
    else if (fits) matched.push(next);
    else break;
  }
  if (matched.length === to.length && rest.every((axis) => matched.includes(axis))) return matched;
  const last = value.axes.at(-1);
  const lastSize = to.at(-1);
  const isRowKept = last?.kind === 'row' && (lastSize === last.size || lastSize === -1 || Number.isNaN(lastSize));
  if (!isRowKept || value.rows.length !== 1 || rowAxis(value.axes) !== value.axes.length - 1 || to.length < 2)
    node.refuse(
      `makes [${target.join(', ')}] of [${value.axes.map(({ size }) => size ?? '?').join(', ')}], which mixes the vector with other axes`,
    );
  return [
    ...to
      .slice(0, -1)
      .map(
        (size): Axis =>
          size === 1 ? { kind: 'count', size: 1 } : { kind: 'free', id: node.scope.nextAxis(), size: undefined },
      ),
    last as Axis,
  ];
}
