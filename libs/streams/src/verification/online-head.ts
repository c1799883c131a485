/**
 * A linear correction of the median that goes on learning: recursive least squares with forgetting, on a constant, the network's median and its inputs.
 * It counts only while it has made the running error smaller, so that it can be left on. Source: S. Haykin, "Adaptive Filter Theory", chapter 10.
 *
 * State of one series and horizon: steps, running squared errors without and with it, weights [k], inverse correlation [k][k]. Units: the forecast's width.
 */
import type { OnlineHeadOptions } from './options.ts';

const STEPS = 0;
const PLAIN = 1;
const CORRECTED = 2;
const WEIGHTS = 3;
/** Before anything is learnt: a ridge of 1 / PRIOR. */
const PRIOR = 0.1;
/** No direction that the rows never show is forgotten beyond this. */
const TRACE_MAX = 100;
const VALUE_MAX = 8;
const CORRECTION_MAX = 1;
/** Forecasts before it may correct. */
const STEPS_MIN = 50;
const ERROR_WEIGHT = 0.005;

/** Places of a constant, the median, the inputs. */
export const onlineWidth = (inputSize: number): number => 2 + inputSize;
export const onlineSize = (inputSize: number): number => {
  const k = onlineWidth(inputSize);
  return WEIGHTS + k + k * k;
};

const bounded = (value: number): number => Math.max(-VALUE_MAX, Math.min(VALUE_MAX, value));

/** What the correction is made of: written to `features`, [onlineWidth]. */
export function writeFeatures(
  features: Float64Array,
  median: number,
  { inputs, inputAt }: { readonly inputs: Float32Array; readonly inputAt: number },
): void {
  features[0] = 1;
  features[1] = bounded(median);
  for (let i = 2; i < features.length; i += 1) features[i] = bounded(inputs[inputAt + i - 2]);
}

/** What it would add to the median: `most` at most. */
export function correctionOf(state: Float64Array, at: number, features: Float64Array, most = CORRECTION_MAX): number {
  let sum = 0;
  for (let i = 0; i < features.length; i += 1) sum += state[at + WEIGHTS + i] * features[i];
  return Math.max(-most, Math.min(most, sum));
}

/** Whether what it adds is to be added. */
export function isWorth(state: Float64Array, at: number): boolean {
  return state[at + STEPS] >= STEPS_MIN && state[at + CORRECTED] < state[at + PLAIN];
}

/** Learns the correction, of as many inputs as the network has. */
export class OnlineHead {
  readonly #gain: Float64Array;
  readonly #forgetting: number;

  constructor(inputSize: number, { forgetting }: OnlineHeadOptions) {
    this.#gain = new Float64Array(onlineWidth(inputSize));
    this.#forgetting = forgetting;
  }

  /**
   * Takes the truth of a forecast with these features. `residual`: truth less the network's median; `correction`: what it said then; `weight`: how much of
   * the truth no other says, 1 at most.
   */
  learn(
    state: Float64Array,
    at: number,
    features: Float64Array,
    said: { readonly residual: number; readonly correction: number; readonly weight?: number },
  ): void {
    const { weight = 1 } = said;
    const gain = this.#gain;
    const k = gain.length;
    const matrix = at + WEIGHTS + k;
    const steps = state[at + STEPS];
    if (steps === 0) for (let i = 0; i < k; i += 1) state[matrix + i * k + i] = PRIOR;
    const residual = bounded(said.residual);
    const share = Math.max(ERROR_WEIGHT, 1 / (steps + 1));
    state[at + PLAIN] += share * (residual ** 2 - state[at + PLAIN]);
    state[at + CORRECTED] += share * ((residual - said.correction) ** 2 - state[at + CORRECTED]);
    state[at + STEPS] = steps + 1;
    let power = 0;
    let own = 0;
    let trace = 0;
    for (let i = 0; i < k; i += 1) {
      let sum = 0;
      for (let j = 0; j < k; j += 1) sum += state[matrix + i * k + j] * features[j];
      gain[i] = sum;
      power += sum * features[i];
      own += state[at + WEIGHTS + i] * features[i];
      trace += state[matrix + i * k + i];
    }
    const forgetting = trace > TRACE_MAX ? 1 : this.#forgetting ** weight;
    const below = forgetting + weight * power;
    for (let i = 0; i < k; i += 1) state[at + WEIGHTS + i] += weight * (gain[i] / below) * (residual - own);
    for (let i = 0; i < k; i += 1)
      for (let j = 0; j <= i; j += 1) {
        const value = (state[matrix + i * k + j] - (weight * gain[i] * gain[j]) / below) / forgetting;
        state[matrix + i * k + j] = value;
        state[matrix + j * k + i] = value;
      }
  }
}
