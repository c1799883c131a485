/**
 * Exponential moving average of the weights over the updates: what is validated and kept, while training goes on from the weights themselves. The first
 * updates weigh less: after s of them the average keeps at most s / (s + 10) of itself. Source: B. Polyak, A. Juditsky, "Acceleration of Stochastic
 * Approximation by Averaging", 1992; the warm-up as in TensorFlow's ExponentialMovingAverage.
 */
export class WeightAverage {
  readonly values: Float64Array;
  readonly #decay: number;

  constructor(parameters: Float64Array, decay: number) {
    this.values = parameters.slice();
    this.#decay = decay;
  }

  /** Takes the weights in after update number `step`, from 1. */
  update(parameters: Float64Array, step: number): void {
    const kept = Math.min(this.#decay, step / (step + 10));
    const { values } = this;
    for (let i = 0; i < values.length; i += 1) values[i] += (1 - kept) * (parameters[i] - values[i]);
  }

  /** Exchanges the average with the weights, in place: twice is as before. */
  exchange(parameters: Float64Array): void {
    const { values } = this;
    for (let i = 0; i < values.length; i += 1) [values[i], parameters[i]] = [parameters[i], values[i]];
  }
}
