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
  readonly x: Float32Array;
  readonly xAt: number;
  readonly nx: number;
  readonly h: Float32Array;
  readonly hAt: number;
  readonly nh: number;
}

export function affineSum(a: Affine, from: number, to: number, out: Float64Array): void {
  const { b1, b2 } = a;
  let r = from;
  // Four rows side by side keep four sums in flight; each row's own order of additions stays the same.
  for (; r + 4 <= to; r += 4) {
    for (let i = r; i < r + 4; i += 1) out[i] = b1[i] + b2[i];
    addFourDots(a.w1, r, a.x, a.xAt, a.nx, out);
    addFourDots(a.w2, r, a.h, a.hAt, a.nh, out);
  }
  for (; r < to; r += 1)
    out[r] = b1[r] + b2[r] + dot(a.w1, r * a.nx, a.x, a.xAt, a.nx) + dot(a.w2, r * a.nh, a.h, a.hAt, a.nh);
}

/** out[outAt + r - from] = sum_k w[r][k] v[k] for r in [from, to). w: [rows][n], v: [n] at `vAt`. */
export function products(
  w: Float32Array,
  rows: { readonly from: number; readonly to: number },
  v: Float32Array | Float64Array,
  vAt: number,
  n: number,
  out: Float64Array,
  outAt: number,
): void {
  for (let r = rows.from; r < rows.to; r += 1) out[outAt + r - rows.from] = dot(w, r * n, v, vAt, n);
}

/** out[r + i] += sum_k w[r + i][k] v[vAt + k] for i = 0..3. */
function addFourDots(w: Float32Array, r: number, v: Float32Array, vAt: number, n: number, out: Float64Array): void {
  const w0 = r * n;
  const w1 = w0 + n;
  const w2 = w1 + n;
  const w3 = w2 + n;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let k = 0; k < n; k += 1) {
    const value = v[vAt + k];
    s0 += w[w0 + k] * value;
    s1 += w[w1 + k] * value;
    s2 += w[w2 + k] * value;
    s3 += w[w3 + k] * value;
  }
  out[r] += s0;
  out[r + 1] += s1;
  out[r + 2] += s2;
  out[r + 3] += s3;
}

/** sum_k w[wAt + k] v[vAt + k], k = 0..n-1, in double. */
export function dot(w: Float32Array, wAt: number, v: Float32Array | Float64Array, vAt: number, n: number): number {
  let sum = 0;
  for (let k = 0; k < n; k += 1) sum += w[wAt + k] * v[vAt + k];
  return sum;
}

/** The logistic function 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
