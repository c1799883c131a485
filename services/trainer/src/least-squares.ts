import assert from 'node:assert/strict';

/**
 * Coefficients that make sum (y - x b)^2 + ridge |b|^2 least, by the normal equations and Cholesky's decomposition; x: [rows][columns]. A column that
 * the others explain gets what a ridge of 1e-10 of the largest diagonal element leaves it.
 */
export function leastSquares(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { columns, ridge = 0 }: { readonly columns: number; readonly ridge?: number },
): Float64Array {
  const n = columns;
  assert(x.length === y.length * n, 'x has as many rows as y.');
  const a = new Float64Array(n * n);
  const b = new Float64Array(n);
  for (let row = 0; row < y.length; row += 1)
    for (let i = 0; i < n; i += 1) {
      const xi = x[row * n + i];
      b[i] += xi * y[row];
      for (let j = 0; j <= i; j += 1) a[i * n + j] += xi * x[row * n + j];
    }
  let largest = 0;
  for (let i = 0; i < n; i += 1) largest = Math.max(largest, a[i * n + i]);
  for (let i = 0; i < n; i += 1) a[i * n + i] += ridge + 1e-10 * largest;
  return solveCholesky(a, b, n);
}

/** a: the lower triangle of a symmetric matrix, which is overwritten. */
function solveCholesky(a: Float64Array, b: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i += 1)
    for (let j = 0; j <= i; j += 1) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k += 1) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j];
    }
  const solution = b.slice();
  for (let i = 0; i < n; i += 1) {
    for (let k = 0; k < i; k += 1) solution[i] -= a[i * n + k] * solution[k];
    solution[i] /= a[i * n + i];
  }
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < n; k += 1) solution[i] -= a[k * n + i] * solution[k];
    solution[i] /= a[i * n + i];
  }
  return solution;
}
