/**
 * Probabilities p_j = e^(z_j - max z) / sum_k e^(z_k - max z), in double; the greatest z is taken away first, so that nothing overflows
 * (J. Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs", 1990, for the form).
 * z: [n] at `zAt`; p: [n] at `pAt`, sums to 1 within float32. A NaN in z is NaN in all p.
 */
export function writeSoftmax(
  z: ArrayLike<number>,
  zAt: number,
  n: number,
  p: { [index: number]: number },
  pAt: number,
): void {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < n; j += 1) greatest = Math.max(greatest, z[zAt + j]);
  let sum = 0;
  for (let j = 0; j < n; j += 1) sum += Math.exp(z[zAt + j] - greatest);
  for (let j = 0; j < n; j += 1) p[pAt + j] = Math.exp(z[zAt + j] - greatest) / sum;
}

/** The first of the greatest. */
export function argmax(values: ArrayLike<number>, at: number, n: number): number {
  let best = 0;
  for (let j = 1; j < n; j += 1) if (values[at + j] > values[at + best]) best = j;
  return best;
}
