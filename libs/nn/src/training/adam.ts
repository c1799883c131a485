const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/**
 * Adam. Source: D. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1; with decoupled weight decay, I. Loshchilov,
 * F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2.
 */
export class Adam {
  /** First and second moment of each parameter. */
  readonly mean: Float64Array;
  readonly square: Float64Array;
  steps = 0;
  /** Factor of the learning rate from here on: its schedule. */
  schedule = 1;
  readonly #learningRate: number;
  readonly #weightDecay: number;

  constructor(options: { readonly size: number; readonly learningRate: number; readonly weightDecay: number }) {
    this.mean = new Float64Array(options.size);
    this.square = new Float64Array(options.size);
    this.#learningRate = options.learningRate;
    this.#weightDecay = options.weightDecay;
  }

  /** Moves `weights` against `gradient` times `factor`, in place. */
  update(weights: Float64Array, gradient: Float64Array, factor: number): void {
    const { mean, square } = this;
    this.steps += 1;
    const scheduled = this.#learningRate * this.schedule;
    const rate = (scheduled * Math.sqrt(1 - BETA_2 ** this.steps)) / (1 - BETA_1 ** this.steps);
    const kept = 1 - scheduled * this.#weightDecay;
    if (kept !== 1) for (let i = 0; i < weights.length; i += 1) weights[i] *= kept;
    for (let i = 0; i < weights.length; i += 1) {
      const g = gradient[i] * factor;
      mean[i] = BETA_1 * mean[i] + (1 - BETA_1) * g;
      square[i] = BETA_2 * square[i] + (1 - BETA_2) * g * g;
      weights[i] -= (rate * mean[i]) / (Math.sqrt(square[i]) + EPSILON);
    }
  }
}

/** Euclidean norm of a gradient: what clipping measures. */
export function normOf(gradient: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < gradient.length; i += 1) squares += gradient[i] * gradient[i];
  return Math.sqrt(squares);
}
