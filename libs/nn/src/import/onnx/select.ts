/** Operations that take parts or put parts together: Slice, Split, Gather, Concat. */
import type { GraphNode } from './graph-node.ts';
import { joinCells, takeCells } from './grid.ts';
import { type Axis, gridShape, type SymbolicValue, type Value } from './value.ts';

/** Exporters write it (or int64's) for `to the end`. */
const INT32_MAX = 2 ** 31 - 1;

/** A range along one axis: `from` to `to`, both counted from the front; undefined where an axis has no known size. */
interface Range {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
}

export function slice(node: GraphNode): Value[] {
  const starts = node.ints('starts', 1) ?? node.refuse('has no starts');
  const ends = node.ints('ends', 2) ?? node.refuse('has no ends');
  const axes = node.ints('axes', 3) ?? starts.map((_, k) => k);
  const steps = node.ints('steps', 4) ?? starts.map(() => 1);
  if (axes.length !== starts.length || ends.length !== starts.length || steps.length !== starts.length)
    node.refuse('has starts, ends, axes and steps of different lengths');
  let value = node.value(0);
  for (const [k, start] of starts.entries()) {
    if (value.kind === 'fill') return [value];
    if (steps[k] !== 1) node.refuse(`has the step ${steps[k]}`, 'Run the network forwards over every step');
    const axis = node.axis(axes[k], rankOf(value));
    if (value.kind === 'symbolic' && value.axes[axis].kind === 'free')
      value = sliceFree(node, value, { axis, from: start, to: ends[k] });
    else value = cut(node, value, clamped(sizeAt(value, axis), { axis, from: start, to: ends[k] }));
  }
  return [value];
}

function clamped(size: number, { axis, from, to }: Range): Range {
  const clamp = (at: number): number => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
  return { axis, from: clamp(from), to: clamp(to) };
}

export function split(node: GraphNode): Value[] {
  const value = node.value(0);
  if (value.kind === 'fill') return node.outputs.map(() => value);
  const axis = node.axis(node.int('axis', 0), rankOf(value));
  const size =
    value.kind === 'symbolic' && value.axes[axis].kind === 'free'
      ? node.refuse('splits the batch or the sequence')
      : sizeAt(value, axis);
  const each = Math.ceil(size / node.outputs.length);
  const sizes = node.ints('split', 1) ?? node.outputs.map((_, k) => Math.min(each, size - k * each));
  if (
    sizes.length !== node.outputs.length ||
    sizes.some((n) => !(n > 0)) ||
    sizes.reduce((sum, n) => sum + n, 0) !== size
  )
    node.refuse(`splits ${size} into [${sizes.join(', ')}]`);
  let from = 0;
  return sizes.map((n) => {
    from += n;
    return cut(node, value, { axis, from: from - n, to: from });
  });
}

export function gather(node: GraphNode): Value[] {
  const value = node.value(0);
  if (value.kind === 'fill') return [value];
  const axis = node.axis(node.int('axis', 0), rankOf(value));
  const indices = node.constant(1);
  if (indices.shape.length > 1) node.refuse(`takes indices of ${indices.shape.length} axes`);
  const isScalar = indices.shape.length === 0;
  if (value.kind === 'symbolic' && value.axes[axis].kind === 'free') {
    if (indices.values.length !== 1) node.refuse('takes several steps of the sequence');
    const from = indices.values[0];
    const last = sliceFree(node, value, { axis, from, to: from === -1 ? Number.MAX_SAFE_INTEGER : from + 1 });
    return [isScalar ? withoutAxis(last, axis) : last];
  }
  const size = sizeAt(value, axis);
  const taken = Array.from(indices.values, (index) => (index < 0 ? index + size : index));
  if (taken.some((index) => !Number.isInteger(index) || index < 0 || index >= size))
    node.refuse(`takes the index ${taken.join(', ').slice(0, 40)} of ${size}`);
  if (value.kind === 'symbolic' && value.axes[axis].kind === 'row') {
    if (isScalar || taken.some((index, k) => index !== taken[0] + k))
      node.refuse('picks single elements out of a vector');
    return [cut(node, value, { axis, from: taken[0], to: taken[0] + taken.length })];
  }
  const selected = pick(node, value, axis, taken);
  return [isScalar ? withoutAxis(selected, axis) : selected];
}

export function concat(node: GraphNode): Value[] {
  const values = node.inputs.map((_, i) => node.value(i));
  const symbolic = values.filter((value) => value.kind === 'symbolic');
  const constants = values.filter((value) => value.kind === 'constant');
  const [first] = values;
  if (values.length === 1) return [first];
  if (symbolic.length === values.length) return [concatSymbolic(node, symbolic)];
  if (constants.length === values.length) {
    const axis = node.axis(node.int('axis', 0), constants[0].shape.length);
    const isAligned = constants.every(
      ({ shape }) =>
        shape.length === constants[0].shape.length && shape.every((n, k) => k === axis || n === constants[0].shape[k]),
    );
    if (!isAligned) node.refuse('joins constants of shapes that do not fit');
    node.scope.algebra.claim(constants.reduce((sum, { values: all }) => sum + all.length, 0));
    const shape = constants[0].shape.with(
      axis,
      constants.reduce((sum, one) => sum + one.shape[axis], 0),
    );
    return [
      {
        ...constants[0],
        shape,
        values: joinCells(
          constants.map((one) => ({ cells: one.values, shape: one.shape })),
          axis,
        ),
      },
    ];
  }
  const numbers = new Set(
    values.flatMap((value) =>
      value.kind === 'fill' ? [value.value] : value.kind === 'constant' ? Array.from(value.values) : [Number.NaN],
    ),
  );
  const [number] = numbers;
  if (numbers.size !== 1 || Number.isNaN(number)) node.refuse('joins constants with computed values');
  return [{ kind: 'fill', value: number }];
}

function concatSymbolic(node: GraphNode, values: readonly SymbolicValue[]): Value {
  const [first] = values;
  const axis = node.axis(node.int('axis', 0), first.axes.length);
  const isLast = values.some((value) => value.isLast);
  const isAligned = values.every(
    ({ axes }) =>
      axes.length === first.axes.length &&
      axes.every((one, k) => k === axis || (one.kind === 'count' ? one.size : 1) === gridShape(first.axes)[k]) &&
      axes.every((one, k) => (one.kind === 'row') === (first.axes[k].kind === 'row')),
  );
  const kind = first.axes[axis].kind;
  if (!isAligned || kind === 'free' || values.some(({ axes }) => axes[axis].kind !== kind))
    node.refuse('joins values along the batch or the sequence, or of shapes that do not fit');
  const size = values.reduce((sum, { axes }) => sum + (axes[axis].size ?? 0), 0);
  const axes = first.axes.with(axis, kind === 'row' ? { kind, size } : { kind: 'count', size });
  node.assertExtent(axes);
  const rows =
    kind === 'row'
      ? first.rows.map((_, i) => values.flatMap((value) => value.rows[i]))
      : joinCells(
          values.map((value) => ({ cells: value.rows, shape: gridShape(value.axes) })),
          axis,
        );
  return { kind: 'symbolic', axes, rows, isLast };
}

function rankOf(value: Exclude<Value, { kind: 'fill' }>): number {
  return value.kind === 'constant' ? value.shape.length : value.axes.length;
}

function sizeAt(value: Exclude<Value, { kind: 'fill' }>, axis: number): number {
  return value.kind === 'constant' ? value.shape[axis] : (value.axes[axis].size ?? Number.NaN);
}

/** A range of a constant, of enumerated rows, or of the vectors themselves. */
function cut(node: GraphNode, value: Exclude<Value, { kind: 'fill' }>, { axis, from, to }: Range): Value {
  if (!(from < to) || !Number.isInteger(from) || !Number.isInteger(to))
    node.refuse(`takes the range ${from} to ${to}, which is empty or not known from the file`);
  if (value.kind === 'symbolic' && value.axes[axis].kind === 'row') {
    const rows = value.rows.map((row) => node.scope.algebra.slice(row, from, to));
    return { ...value, axes: value.axes.with(axis, { kind: 'row', size: to - from }), rows };
  }
  return pick(
    node,
    value,
    axis,
    Array.from({ length: to - from }, (_, k) => from + k),
  );
}

function pick(
  node: GraphNode,
  value: Exclude<Value, { kind: 'fill' }>,
  axis: number,
  indices: readonly number[],
): Exclude<Value, { kind: 'fill' }> {
  const { length } = value.kind === 'constant' ? value.values : value.rows;
  node.scope.algebra.claim((length / Math.max(1, sizeAt(value, axis))) * indices.length);
  if (value.kind === 'constant')
    return {
      ...value,
      shape: value.shape.with(axis, indices.length),
      values: takeCells(value.values, value.shape, axis, indices),
    };
  const axes = value.axes.with(axis, { kind: 'count', size: indices.length });
  node.assertExtent(axes);
  return { ...value, axes, rows: takeCells(value.rows, gridShape(value.axes), axis, indices) };
}

/** All steps, or the last one of the sequence that the network ran over. */
function sliceFree(node: GraphNode, value: SymbolicValue, { axis, from, to }: Range): SymbolicValue {
  const { size, id } = value.axes[axis] as Extract<Axis, { kind: 'free' }>;
  const end = size ?? INT32_MAX;
  if ((from === 0 || from === -end) && to >= end) return value;
  const isLastStep = (from === -1 || from === end - 1) && (to >= end || (to === 0 && from === -1));
  if (!isLastStep || id !== node.scope.timeAxis)
    node.refuse(
      `takes ${from} to ${to} of the batch or the sequence`,
      'Apply the head to every step or to the last one',
    );
  return { ...value, axes: value.axes.with(axis, { kind: 'count', size: 1 }), isLast: true };
}

function withoutAxis<T extends Exclude<Value, { kind: 'fill' }>>(value: T, axis: number): T {
  if (value.kind === 'constant') return { ...value, shape: value.shape.toSpliced(axis, 1) };
  return { ...value, axes: value.axes.toSpliced(axis, 1) };
}
