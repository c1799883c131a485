/** Numerically plain building blocks: products accumulate in double, in index order, so a result has one definition everywhere. */

/**
 * out[r] = b1[r] + b2[r] + sum_k w1[r][k] x[k] + sum_k w2[r][k] h[k] for r in [from, to).
 * w1: [rows][nx], w2: [rows][nh], x: [nx] at `xAt`, h: [nh] at `hAt`, out: [rows], float64.
 */
export interface Affine {
  readonly w1: Float32Array;
  readonly w2: Float32Array;
  readonly b1: Float32Array;
  readonly b2: Float32Array;
  readonly x: ArrayLike<number>;
  readonly xAt: number;
  readonly nx: number;
  readonly h: ArrayLike<number>;
  readonly hAt: number;
  readonly nh: number;
}

export function affineSum(a: Affine, from: number, to: number, out: Float64Array): void {
  for (let r = from; r < to; r += 1)
    out[r] = a.b1[r] + a.b2[r] + dot(a.w1, r * a.nx, a.x, a.xAt, a.nx) + dot(a.w2, r * a.nh, a.h, a.hAt, a.nh);
}

/** sum_k w[wAt + k] v[vAt + k], k = 0..n-1, in double. */
export function dot(w: Float32Array, wAt: number, v: ArrayLike<number>, vAt: number, n: number): number {
  let sum = 0;
  for (let k = 0; k < n; k += 1) sum += w[wAt + k] * v[vAt + k];
  return sum;
}

/** The logistic function 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
