/** Adam. Source: D. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1. */
export class Adam {
  readonly #m: Float64Array;
  readonly #v: Float64Array;
  readonly #learningRate: number;
  #step = 0;

  constructor(options: { readonly size: number; readonly learningRate: number }) {
    this.#m = new Float64Array(options.size);
    this.#v = new Float64Array(options.size);
    this.#learningRate = options.learningRate;
  }

  /** One update of `weights` in place; the gradient's global norm is clipped to `clipNorm` (Pascanu et al. 2013) first. */
  update(weights: Float64Array, gradient: Float64Array, clipNorm: number): void {
    const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
    this.#step += 1;
    const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
    const clip = norm > clipNorm ? clipNorm / norm : 1;
    const rate = (this.#learningRate * Math.sqrt(1 - beta2 ** this.#step)) / (1 - beta1 ** this.#step);
    for (let i = 0; i < weights.length; i += 1) {
      const g = gradient[i] * clip;
      this.#m[i] = beta1 * this.#m[i] + (1 - beta1) * g;
      this.#v[i] = beta2 * this.#v[i] + (1 - beta2) * g * g;
      weights[i] -= (rate * this.#m[i]) / (Math.sqrt(this.#v[i]) + epsilon);
    }
  }
}
