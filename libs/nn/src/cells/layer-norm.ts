/** PyTorch's default; the paper leaves it out. */
export const NORM_EPSILON = 1e-5;

/**
 * Layer norm without its shift: a_j = gain_j * (a_j - mean(a)) / sqrt(var(a) + epsilon), mean and (biased) variance over the n units, in place.
 * Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, equation 4.
 * a: [n] at `at`, float64; gain: [n] at `gainAt`.
 */
export function normalise(a: Float64Array, at: number, n: number, gain: Float32Array, gainAt: number): void {
  let sum = 0;
  for (let j = 0; j < n; j += 1) sum += a[at + j];
  const mean = sum / n;
  let squares = 0;
  for (let j = 0; j < n; j += 1) squares += (a[at + j] - mean) ** 2;
  const scale = 1 / Math.sqrt(squares / n + NORM_EPSILON);
  for (let j = 0; j < n; j += 1) a[at + j] = gain[gainAt + j] * (a[at + j] - mean) * scale;
}
