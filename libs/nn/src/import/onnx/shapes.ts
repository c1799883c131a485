/** Operations on shapes, as exporters write them to make a zero state: Constant, Shape, ConstantOfShape, Expand. */
import type { GraphNode } from './graph-node.ts';
import { uniformValue } from './tensor.ts';
import type { Value } from './value.ts';

export function constant(node: GraphNode): Value[] {
  const tensor = node.attribute('value');
  if (tensor) return [node.scope.constantOf(tensor, node.where)];
  const [int, float, ints] = ['value_int', 'value_float', 'value_ints'].map((name) => node.attribute(name));
  if (int) return [{ kind: 'constant', shape: [], values: [int.i], isInteger: true }];
  if (float) return [{ kind: 'constant', shape: [], values: [float.f], isInteger: false }];
  if (ints) return [{ kind: 'constant', shape: [ints.ints.length], values: ints.ints, isInteger: true }];
  return node.refuse('holds no plain tensor');
}

/** Sizes that the file does not know are NaN. */
export function shape(node: GraphNode): Value[] {
  const value = node.value(0);
  if (value.kind === 'fill') node.refuse('asks for the shape of a computed constant');
  const sizes = value.kind === 'constant' ? value.shape : value.axes.map(({ size }) => size ?? Number.NaN);
  const end = node.attribute('end')?.i;
  const values = sizes.slice(node.int('start', 0), end);
  return [{ kind: 'constant', shape: [values.length], values, isInteger: true }];
}

export function constantOfShape(node: GraphNode): Value[] {
  const attribute = node.attribute('value');
  const value = attribute ? uniformValue(node.scope.constantOf(attribute, node.where)) : 0;
  return [{ kind: 'fill', value: value ?? node.refuse('fills with no single number') }];
}

export function expand(node: GraphNode): Value[] {
  const value = node.value(0);
  if (value.kind === 'fill') return [value];
  const number = value.kind === 'constant' ? uniformValue(value) : undefined;
  return [{ kind: 'fill', value: number ?? node.refuse('repeats values along an axis') }];
}
