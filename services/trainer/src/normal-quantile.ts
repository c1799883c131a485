/** The x below which a standard normal value lies with probability `level` (0 < level < 1), by Newton's method. */
export function normalQuantile(level: number): number {
  if (level > 0.5) return -normalQuantile(1 - level);
  let x = 0;
  for (let i = 0; i < ITERATIONS_MAX; i += 1) {
    const step = (cumulative(x) - level) / density(x);
    // From the middle the first step overshoots in the tails: it is kept to one deviation.
    x -= Math.max(-1, Math.min(1, step));
    if (Math.abs(step) < 1e-15) break;
  }
  return x;
}

const ITERATIONS_MAX = 60;

function density(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** Source of the series: G. Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11(4), 2004. */
function cumulative(x: number): number {
  let sum = x;
  let before = 0;
  let term = x;
  for (let i = 3; sum !== before; i += 2) {
    before = sum;
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + sum * density(x);
}
