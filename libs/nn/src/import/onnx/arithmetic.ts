/** Elementwise operations and matrix products: Add, Sub, Mul, Div, Neg, Sum, Sigmoid, Tanh, MatMul, Gemm. */
import type { GraphNode } from './graph-node.ts';
import { broadcastCells, broadcastShape, permuteCells } from './grid.ts';
import type { Matrix, Row } from './row.ts';
import {
  type Axis,
  broadcastAxes,
  type ConstantValue,
  gridShape,
  rowAxis,
  type SymbolicValue,
  type Value,
} from './value.ts';

type Operator = '+' | '-' | '*' | '/';

const ON_NUMBERS = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
} as const satisfies Record<Operator, (a: number, b: number) => number>;

export function elementwise(operator: Operator) {
  return (node: GraphNode): Value[] => [combine(node, operator, node.value(0), node.value(1))];
}

export function sum(node: GraphNode): Value[] {
  return [node.inputs.map((_, i) => node.value(i)).reduce((a, b) => combine(node, '+', a, b))];
}

export function negate(node: GraphNode): Value[] {
  return [combine(node, '*', node.value(0), scalar(-1))];
}

export function activate(kind: 'sigmoid' | 'tanh') {
  return (node: GraphNode): Value[] => {
    const value = node.symbolic(0);
    return [{ ...value, rows: value.rows.map((row) => node.scope.algebra.activate(kind, row)) }];
  };
}

export function matMul(node: GraphNode): Value[] {
  const matrix = node.constant(1);
  const shape = matrix.shape.slice(matrix.shape.findIndex((size, k) => size !== 1 || k === matrix.shape.length - 2));
  if (matrix.shape.length < 2 || shape.length !== 2)
    node.refuse(`multiplies by a constant of shape [${matrix.shape.join(', ')}]`);
  return [project(node, node.symbolic(0), transposed(node, { ...matrix, shape }))];
}

/** alpha * A * B + beta * C, A symbolic, B [in][out] or, with transB, [out][in]. */
export function gemm(node: GraphNode): Value[] {
  if (node.int('transA', 0) !== 0) node.refuse('has transA = 1');
  const matrix = node.constant(1);
  if (matrix.shape.length !== 2) node.refuse(`multiplies by a constant of shape [${matrix.shape.join(', ')}]`);
  const alpha = node.attribute('alpha')?.f ?? 1;
  const beta = node.attribute('beta')?.f ?? 1;
  const isTransposed = node.int('transB', 0) !== 0;
  const weights = isTransposed ? asMatrix(node, matrix) : transposed(node, matrix);
  const product = project(node, node.symbolic(0), weights);
  const scaled = alpha === 1 ? product : combine(node, '*', product, scalar(alpha));
  const added = node.inputs[2];
  if (!added) return [scaled];
  return [combine(node, '+', scaled, beta === 1 ? added : combine(node, '*', added, scalar(beta)))];
}

export function scalar(value: number): ConstantValue {
  return { kind: 'constant', shape: [], values: [value], isInteger: false };
}

function asMatrix(node: GraphNode, { shape, values }: ConstantValue): Matrix {
  node.scope.algebra.claim(values.length);
  return { rows: shape[0], columns: shape[1], values: Float64Array.from(values) };
}

/** [in][out] as [out][in]. */
function transposed(node: GraphNode, { shape, values }: ConstantValue): Matrix {
  node.scope.algebra.claim(values.length);
  return { rows: shape[1], columns: shape[0], values: Float64Array.from(permuteCells(values, shape, [1, 0])) };
}

function project(node: GraphNode, value: SymbolicValue, matrix: Matrix): SymbolicValue {
  const axis = rowAxis(value.axes);
  const size = value.axes[axis]?.size;
  if (axis !== value.axes.length - 1 || size !== matrix.columns || matrix.rows === 0)
    node.refuse(`multiplies vectors of ${size ?? '?'} by a matrix of ${matrix.columns} to ${matrix.rows}`);
  const rows = value.rows.map((row) => [node.scope.algebra.project(row, matrix)]);
  return { ...value, axes: value.axes.with(axis, { kind: 'row', size: matrix.rows }), rows };
}

function combine(node: GraphNode, operator: Operator, a: Value, b: Value): Value {
  const [x, y] = [plainValue(a), plainValue(b)];
  if (x.kind === 'symbolic') return combineSymbolic(node, operator, x, y.kind === 'symbolic' ? y : besides(node, y, x));
  if (y.kind === 'symbolic') return combineSymbolic(node, operator, besides(node, x, y), y);
  const shape =
    broadcastShape(x.shape, y.shape) ??
    node.refuse(`combines constants of [${x.shape.join(', ')}] and [${y.shape.join(', ')}]`);
  node.scope.algebra.claim(shape.reduce((product, size) => product * size, 1));
  const right = broadcastCells(y.values, y.shape, shape);
  const left = broadcastCells(x.values, x.shape, shape);
  const isInteger = x.isInteger && y.isInteger;
  const combined = left.map((value, i) => ON_NUMBERS[operator](value, right[i]));
  return { kind: 'constant', shape, values: isInteger ? combined.map(Math.trunc) : combined, isInteger };
}

function plainValue(value: Value): ConstantValue | SymbolicValue {
  return value.kind === 'fill' ? scalar(value.value) : value;
}

function combineSymbolic(node: GraphNode, operator: Operator, a: SymbolicValue, b: SymbolicValue): SymbolicValue {
  const axes = broadcastAxes(a.axes, b.axes);
  if (!axes) node.refuse('combines values whose shapes do not fit');
  node.assertExtent(axes);
  const grid = gridShape(axes);
  const left = broadcastCells(a.rows, gridShape(a.axes), grid);
  const right = broadcastCells(b.rows, gridShape(b.axes), grid);
  const rows = left.map((row, i) => combineRows(node, operator, row, right[i]));
  return { kind: 'symbolic', axes, rows, isLast: a.isLast || b.isLast };
}

function combineRows(node: GraphNode, operator: Operator, a: Row, b: Row): Row {
  const { algebra } = node.scope;
  if (operator === '+' || operator === '-') return algebra.add(a, b, operator === '+' ? 1 : -1);
  if (operator === '*') return algebra.multiply(a, b);
  if (b.some(({ terms }) => terms.length > 0)) node.refuse('divides by a computed value');
  return algebra.multiply(
    a,
    b.map((part) => algebra.constant((part.bias ?? new Float64Array(part.length)).map((value) => 1 / value))),
  );
}

/** A constant as a symbolic tensor that broadcasts to `other`: its axis under the vector's axis becomes the vector. */
function besides(node: GraphNode, constant: ConstantValue, other: SymbolicValue): SymbolicValue {
  const rank = Math.max(constant.shape.length, other.axes.length);
  const padded = [...Array.from({ length: rank - constant.shape.length }, () => 1), ...constant.shape];
  const axis = rank - other.axes.length + rowAxis(other.axes);
  const { size = 0 } = other.axes[rowAxis(other.axes)];
  if (padded[axis] !== 1 && padded[axis] !== size)
    node.refuse(`combines a vector of ${size} with a constant of shape [${constant.shape.join(', ')}]`);
  const shape = padded.with(axis, size);
  node.scope.algebra.claim(shape.reduce((product, n) => product * n, 1));
  const others = shape.map((n, k): Axis => (k === axis ? { kind: 'row', size: n } : { kind: 'count', size: n }));
  node.assertExtent(others);
  const values = broadcastCells(constant.values, padded, shape);
  const order = [...shape.keys()].filter((k) => k !== axis);
  const cells = permuteCells(values, shape, [...order, axis]);
  const rows = Array.from({ length: cells.length / size }, (_, i) => [
    node.scope.algebra.constant(cells.slice(i * size, (i + 1) * size)),
  ]);
  return { kind: 'symbolic', axes: others, rows, isLast: false };
}
