import { broadcastShape } from './grid.ts';
import type { Row } from './row.ts';

/**
 * An axis of a symbolic tensor. `count`: enumerated (layers, directions, a sequence of one step); `free`: batch or time, every position is
 * the same function; `row`: the vector itself, once in a tensor.
 */
export type Axis =
  | { readonly kind: 'count'; readonly size: number }
  | { readonly kind: 'free'; readonly id: number; readonly size: number | undefined }
  | { readonly kind: 'row'; readonly size: number };

/** Numbers that the file holds or that follow from shapes; NaN is a size that is not known. */
export interface ConstantValue {
  readonly kind: 'constant';
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** Of an integer type, whose division drops the rest. */
  readonly isInteger: boolean;
}

/** A constant of one number, of a shape that need not be known: the zeros that a state starts from. */
export interface FillValue {
  readonly kind: 'fill';
  readonly value: number;
}

/** A function of inputs and states. */
export interface SymbolicValue {
  readonly kind: 'symbolic';
  readonly axes: readonly Axis[];
  /** Over the `count` axes, row-major. */
  readonly rows: readonly Row[];
  /** It is the last step of a sequence, not each. */
  readonly isLast: boolean;
}

export type Value = ConstantValue | FillValue | SymbolicValue;

/** Sizes of the grid that `rows` fill: 1 where an axis is not enumerated. */
export function gridShape(axes: readonly Axis[]): number[] {
  return axes.map((axis) => (axis.kind === 'count' ? axis.size : 1));
}

/** The axes that two symbolic tensors broadcast to; undefined where they do not, or where the rows lie along different axes. */
export function broadcastAxes(a: readonly Axis[], b: readonly Axis[]): Axis[] | undefined {
  if (!broadcastShape(gridShape(a), gridShape(b))) return undefined;
  const rank = Math.max(a.length, b.length);
  const axes: Axis[] = [];
  for (let k = 0; k < rank; k += 1) {
    const x = a[a.length - rank + k];
    const y = b[b.length - rank + k];
    const axis = joined(x, y);
    if (!axis) return undefined;
    axes.push(axis);
  }
  return axes;
}

function joined(x: Axis | undefined, y: Axis | undefined): Axis | undefined {
  if (!x || !y) return x ?? y;
  if (x.kind === 'row' || y.kind === 'row') return x.kind === y.kind && x.size === y.size ? x : undefined;
  if (x.kind === 'count' && y.kind === 'count') return x.size === 1 ? y : x;
  if (x.kind === 'free' && y.kind === 'free') return x;
  // A free axis against an enumerated one: only one position can repeat over all.
  const [free, count] = x.kind === 'free' ? [x, y] : [y, x];
  return count.size === 1 ? free : undefined;
}

/** Index of the axis that rows lie along. */
export function rowAxis(axes: readonly Axis[]): number {
  return axes.findIndex(({ kind }) => kind === 'row');
}
