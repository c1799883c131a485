/** Index arithmetic over row-major grids of anything: numbers of a constant, or rows of a symbolic value. */

/** Anything that is indexed like an array. */
export type Cells<T> = ArrayLike<T>;

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The cells whose index along `axis` is in `indices`, in that order. */
export function takeCells<T>(cells: Cells<T>, shape: readonly number[], axis: number, indices: readonly number[]): T[] {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const taken: T[] = [];
  for (let o = 0; o < outer; o += 1)
    for (const index of indices)
      for (let i = 0; i < inner; i += 1) taken.push(cells[(o * shape[axis] + index) * inner + i]);
  return taken;
}

/** Grids side by side along `axis`; their shapes agree in all others. */
export function joinCells<T>(
  parts: readonly { readonly cells: Cells<T>; readonly shape: readonly number[] }[],
  axis: number,
): T[] {
  const outer = sizeOf(parts[0].shape.slice(0, axis));
  const joined: T[] = [];
  for (let o = 0; o < outer; o += 1)
    for (const { cells, shape } of parts) {
      const block = sizeOf(shape.slice(axis));
      for (let i = 0; i < block; i += 1) joined.push(cells[o * block + i]);
    }
  return joined;
}

/** Axis k of the result is axis perm[k] of `cells`. */
export function permuteCells<T>(cells: Cells<T>, shape: readonly number[], perm: readonly number[]): T[] {
  const strides = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
  const result: T[] = [];
  const index = perm.map(() => 0);
  const count = sizeOf(shape);
  for (let n = 0; n < count; n += 1) {
    result.push(cells[perm.reduce((at, axis, k) => at + index[k] * strides[axis], 0)]);
    for (let k = perm.length - 1; k >= 0; k -= 1) {
      index[k] += 1;
      if (index[k] < shape[perm[k]]) break;
      index[k] = 0;
    }
  }
  return result;
}

/** The shape that two grids broadcast to, as NumPy does; undefined where they do not. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let k = 0; k < rank; k += 1) {
    const x = a[a.length - rank + k] ?? 1;
    const y = b[b.length - rank + k] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

/** `cells` repeated to a shape that they broadcast to. */
export function broadcastCells<T>(cells: Cells<T>, shape: readonly number[], to: readonly number[]): T[] {
  const padded = [...Array.from({ length: to.length - shape.length }, () => 1), ...shape];
  return padded.reduce<{ cells: Cells<T>; shape: number[] }>(
    (grid, size, axis) => {
      if (size === to[axis]) return grid;
      const indices = Array.from({ length: to[axis] }, () => 0);
      const next = takeCells(grid.cells, grid.shape, axis, indices);
      return { cells: next, shape: grid.shape.with(axis, to[axis]) };
    },
    { cells, shape: padded },
  ).cells as T[];
}
