/**
 * Online aggregation of experts: what is told is, level by level, a weighted mean of what the network says and of what needs no network, and the weights
 * follow what each has been worth. So a network that is worse than a plain forecast on this series, or has become so, costs little.
 *
 * Weights are exponential in the regret against the mean, by the slope of its pinball loss, each with a learning rate of its own second moment: O.
 * Wintenberger, "Optimal learning with Bernstein online aggregation", Machine Learning 106, 2017; for quantiles J. Berrisch, F. Ziel, "CRPS Learning", Journal
 * of Econometrics 237, 2023. What an expert itself learns is learnt by the same truths: quantiles by steps along the slope of their pinball loss, the
 * centre and the spread of the last one by recursive least squares.
 *
 * All steps are per horizon's length: truths of forecasts that overlap err together, and one of n that wait side by side counts 1 / n.
 *
 * State of one series and horizon: see `S`, then offsets, regrets and second moments [expert][level], then two linear heads.
 */
import { correctionOf, OnlineHead, onlineSize, onlineWidth } from './online-head.ts';
import type { AggregationOptions } from './options.ts';

/**
 * 0: the network. 1: the network, its quantiles corrected. 2: the last value with quantiles of its returns. 3: with quantiles in running mean returns of the
 * horizon. 4: a linear centre with quantiles in a spread, both of the network's inputs.
 */
const EXPERTS = 5;
const S = { truths: 0, horizons: 1, size: 2, error: 3, recent: 4 } as const;
const OFFSETS = 5;
/** Weight of the newest truth in the mean return by which everything is measured. */
const STEADY_WEIGHT = 0.01;
/** Weight of one horizon's length in the mean return of the newest ones. */
const RECENT_WEIGHT = 0.1;
/** The first truths only say how large a return is. */
const UNHEARD = 20;
const LEARNING_RATE_MAX = 1;
/** A return of nothing has no logarithm: this share of the mean one stands beside it. */
const SPREAD_FLOOR = 0.1;
/** Mean of -log of what a normal return, so floored, is in mean ones. */
const SPREAD_SHIFT = 0.3;
const LOG_MAX = 3;
/** How far the centre may lie from the network's median, in widths, and the log of the spread from that of the mean return. */
const CENTRE_MAX = 2;
const SPREAD_MAX = 2.3;
const VALUE_MAX = 8;
const HEAD = { forgetting: 0.9998 } as const;

/** What a forecast was made of, before the numbers of its entry. */
const ENTRY_CORRECTION = 0;
const ENTRY_SPREAD = 1;
const ENTRY_RECENT = 2;
const ENTRY_WIDTH = 3;
const ENTRY_MEDIAN = 4;
const ENTRY_SAID = 5;

const bounded = (value: number, most: number): number => Math.max(-most, Math.min(most, value));

/** A forecast whose truth has come. `weight`: rows that it stands for; `divisor`: rows in the horizon's length. */
export interface Aggregated {
  readonly values: Float64Array;
  readonly weight: number;
  readonly divisor: number;
  readonly truth: number;
  readonly width: number;
}

export class Aggregation {
  readonly size: number;
  readonly entrySize: number;
  readonly #options: AggregationOptions;
  readonly #levels: readonly number[];
  readonly #middle: number;
  readonly #head: OnlineHead;
  readonly #spread: OnlineHead;
  readonly #headAt: number;
  readonly #spreadAt: number;
  readonly #said: Float64Array;
  readonly #features: Float64Array;
  readonly #spreadFeatures: Float64Array;
  readonly #weights = new Float64Array(EXPERTS);
  /** What `predict` found, as `keep` writes it: centre, spread, the experts' quantiles, the mean's, inputs. */
  readonly #entry: Float64Array;
  readonly #inputsAt: number;

  constructor(
    options: AggregationOptions,
    of: { readonly levels: readonly number[]; readonly middle: number; readonly inputSize: number },
  ) {
    const { levels, middle, inputSize } = of;
    const count = levels.length;
    this.#options = options;
    this.#levels = levels;
    this.#middle = middle;
    this.#head = new OnlineHead(inputSize, HEAD);
    this.#spread = new OnlineHead(inputSize + 1, HEAD);
    this.#features = new Float64Array(onlineWidth(inputSize));
    this.#spreadFeatures = new Float64Array(onlineWidth(inputSize + 1));
    this.#headAt = OFFSETS + 3 * EXPERTS * count;
    this.#spreadAt = this.#headAt + onlineSize(inputSize);
    this.size = this.#spreadAt + onlineSize(inputSize + 1);
    this.#inputsAt = ENTRY_SAID + (EXPERTS + 1) * count;
    this.entrySize = this.#inputsAt + inputSize;
    this.#entry = new Float64Array(this.entrySize);
    this.#said = new Float64Array(count);
  }

  /** Puts the mean of the experts in the place of the network's quantiles, log returns of a forecast that is `width` wide; they stay in order. */
  predict(
    state: Float64Array,
    at: number,
    quantiles: Float64Array,
    { width, inputs, inputAt }: { readonly width: number; readonly inputs: Float32Array; readonly inputAt: number },
  ): void {
    const entry = this.#entry;
    const count = quantiles.length;
    const median = quantiles[this.#middle] / width;
    const size = state[at + S.size] || width;
    const recent = state[at + S.recent] || size;
    entry[ENTRY_MEDIAN] = median;
    entry[ENTRY_RECENT] = bounded(Math.log(recent / size), LOG_MAX);
    entry[ENTRY_WIDTH] = bounded(Math.log(width / size), LOG_MAX);
    for (let i = this.#inputsAt; i < entry.length; i += 1)
      entry[i] = bounded(inputs[inputAt + i - this.#inputsAt], VALUE_MAX);
    this.#readFeatures(entry, 0);
    entry[ENTRY_CORRECTION] = correctionOf(state, at + this.#headAt, this.#features, CENTRE_MAX);
    entry[ENTRY_SPREAD] = correctionOf(state, at + this.#spreadAt, this.#spreadFeatures, SPREAD_MAX);
    const centre = (median + entry[ENTRY_CORRECTION]) * width;
    const spread = size * Math.exp(entry[ENTRY_SPREAD]);
    for (let e = 0; e < EXPERTS; e += 1) {
      const unit = e === 0 ? 0 : e === 1 ? width : e === 2 ? size : e === 3 ? recent : spread;
      for (let i = 0; i < count; i += 1) {
        const from = e <= 1 ? quantiles[i] : e === 4 ? centre : 0;
        this.#said[i] = from + unit * state[at + OFFSETS + e * count + i];
      }
      entry.set(this.#said.sort(), ENTRY_SAID + e * count);
    }
    for (let i = 0; i < count; i += 1) {
      this.#weigh(state, at, i);
      let sum = 0;
      for (let e = 0; e < EXPERTS; e += 1) sum += this.#weights[e] * entry[ENTRY_SAID + e * count + i];
      entry[ENTRY_SAID + EXPERTS * count + i] = sum;
      quantiles[i] = sum;
    }
    // Each level has its own weights, so that neighbours may cross by a little.
    quantiles.sort();
  }

  #readFeatures(values: Float64Array, entryAt: number): void {
    const [features, spread] = [this.#features, this.#spreadFeatures];
    features[0] = 1;
    features[1] = bounded(values[entryAt + ENTRY_MEDIAN], VALUE_MAX);
    spread[0] = 1;
    spread[1] = values[entryAt + ENTRY_RECENT];
    spread[2] = values[entryAt + ENTRY_WIDTH];
    for (let i = 2; i < features.length; i += 1) {
      const input = values[entryAt + this.#inputsAt + i - 2];
      features[i] = input;
      spread[i + 1] = Math.abs(input);
    }
  }

  #weigh(state: Float64Array, at: number, level: number): void {
    const count = this.#levels.length;
    const weights = this.#weights;
    const regretsAt = at + OFFSETS + EXPERTS * count + level;
    let most = Number.NEGATIVE_INFINITY;
    for (let e = 0; e < EXPERTS; e += 1) {
      const moment = state[regretsAt + (EXPERTS + e) * count];
      const rate = moment > 0 ? Math.min(LEARNING_RATE_MAX, Math.sqrt(Math.log(EXPERTS) / moment)) : 0;
      weights[e] = rate * state[regretsAt + e * count] - rate * rate * moment;
      if (weights[e] > most) most = weights[e];
    }
    let sum = 0;
    for (let e = 0; e < EXPERTS; e += 1) {
      weights[e] = Math.exp(weights[e] - most);
      sum += weights[e];
    }
    for (let e = 0; e < EXPERTS; e += 1) weights[e] /= sum;
  }

  /** Median of the forecast whose entry is at `entryAt`, a log return. */
  medianOf(values: Float64Array, entryAt: number): number {
    return values[entryAt + ENTRY_SAID + EXPERTS * this.#levels.length + this.#middle];
  }

  /** Writes what `predict` found to `entryAt`. */
  keep(state: Float64Array, entryAt: number): void {
    state.set(this.#entry, entryAt);
  }

  /** Takes the truth of a forecast whose entry is at `entryAt` of `one.values`. */
  learn(state: Float64Array, at: number, one: Aggregated, entryAt: number): void {
    const { values, truth, width } = one;
    const truths = state[at + S.truths];
    state[at + S.truths] = truths + 1;
    const steady = Math.max(STEADY_WEIGHT, 1 / (truths + 1));
    // A burst of rows counts as one horizon's length at most.
    const share = Math.min(1, one.weight / one.divisor);
    state[at + S.horizons] += share;
    const move = Math.abs(truth);
    state[at + S.size] += steady * (move - state[at + S.size]);
    state[at + S.error] += steady * (move / width - state[at + S.error]);
    state[at + S.recent] += Math.max(RECENT_WEIGHT * share, 1 / (truths + 1)) * (move - state[at + S.recent]);
    const size = state[at + S.size];
    if (truths < UNHEARD || !(size > 0)) return;
    this.#readFeatures(values, entryAt);
    const residual = truth / width - values[entryAt + ENTRY_MEDIAN];
    const centre = { weight: share, residual, correction: values[entryAt + ENTRY_CORRECTION] };
    this.#head.learn(state, at + this.#headAt, this.#features, centre);
    const log = Math.log(move / size + SPREAD_FLOOR) + SPREAD_SHIFT;
    const spread = { weight: share, residual: bounded(log, LOG_MAX), correction: values[entryAt + ENTRY_SPREAD] };
    this.#spread.learn(state, at + this.#spreadAt, this.#spreadFeatures, spread);
    this.#learnLevels(state, at, { values, entryAt, truth, share });
  }

  #learnLevels(
    state: Float64Array,
    at: number,
    of: { readonly values: Float64Array; readonly entryAt: number; readonly truth: number; readonly share: number },
  ): void {
    const { values, entryAt, truth, share } = of;
    const { rate, memory } = this.#options;
    const count = this.#levels.length;
    const size = state[at + S.size];
    const step = share * Math.max(rate, 1 / (1 + state[at + S.horizons]));
    const kept = (1 - 1 / memory) ** share;
    for (let i = 0; i < count; i += 1) {
      const level = this.#levels[i];
      const mean = values[entryAt + ENTRY_SAID + EXPERTS * count + i];
      const slope = (truth < mean ? 1 : 0) - level;
      for (let e = 0; e < EXPERTS; e += 1) {
        const said = values[entryAt + ENTRY_SAID + e * count + i];
        const regret = ((slope * (mean - said)) / size) * share;
        const regretAt = at + OFFSETS + (EXPERTS + e) * count + i;
        const momentAt = regretAt + EXPERTS * count;
        state[regretAt] = kept * state[regretAt] + regret;
        state[momentAt] = kept * state[momentAt] + regret * regret;
        if (e === 0) continue;
        // The network's corrections are in widths; the other units are of the size of a return.
        const unit = e === 1 ? state[at + S.error] : 1;
        state[at + OFFSETS + e * count + i] += 2 * step * unit * (level - (truth < said ? 1 : 0));
      }
    }
  }
}
