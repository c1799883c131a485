/**
 * What the network sees of a tick, computed in the stream: every value is scaled by the series' own running statistics, which are carried in
 * its state, so that one model serves every symbol, also one that it never saw.
 */
import type { Chunk, RowBuffers } from '@tideline/pipeline';
import { TICK_COLUMNS } from './decode.ts';

/** Places in the stream state. */
const S = {
  count: 0,
  price: 1,
  timeMs: 2,
  fast: 3,
  slow: 4,
  sizeMean: 5,
  sizeVar: 6,
  gapMean: 7,
  gapVar: 8,
  gapMs: 9,
  drift: 10,
} as const;
export const TICK_STATE_SIZE = 11;

/** Places in a row's context: what targets and points are made from. */
export const TICK_CONTEXT = { price: 0, sigma: 1, gapMs: 2 } as const;
export const TICK_CONTEXT_SIZE = 3;

export const TICK_INPUT_SIZE = 8;

/** Volatility of a step before anything is known: 0.1 %. */
const SIGMA_PRIOR = 1e-3;
/** Floor of the running volatility, so that a constant price divides by something. */
const SIGMA_MIN = 1e-6;
const CLAMP = 8;
/** Weights of the newest value in the running statistics: memories of about 10, 50 and 100 records. */
const FAST = 0.1;
const SLOW = 0.02;
const STATISTICS = 0.01;
/** During warm-up the mean of all values so far is better than an exponential one: weight 1/n while that is larger. */
const weight = (alpha: number, count: number): number => Math.max(alpha, 1 / (count + 1));

/** Advances the state by one tick and writes inputs and context. */
export function advanceTick(chunk: Chunk, row: number, buffers: RowBuffers): void {
  const { state, stateAt: s, inputs, inputAt, context, contextAt } = buffers;
  const price = chunk.numbers[TICK_COLUMNS.price][row];
  const size = chunk.numbers[TICK_COLUMNS.size][row];
  const timeMs = chunk.timeMs[row] + chunk.timeSubNs[row] / 1e6;
  const count = state[s + S.count];
  const isFirst = count === 0;
  const change = isFirst ? 0 : Math.log(price / state[s + S.price]);
  const gapMs = isFirst ? 0 : Math.max(0, timeMs - state[s + S.timeMs]);
  const slow = isFirst ? SIGMA_PRIOR * SIGMA_PRIOR : state[s + S.slow];
  const fast = isFirst ? slow : state[s + S.fast];
  const sigma = Math.max(SIGMA_MIN, Math.sqrt(slow));
  const logSize = Math.log1p(Number.isNaN(size) ? 0 : size);
  const logGap = Math.log1p(gapMs);
  const values = [
    change / sigma,
    standardised(logSize, state[s + S.sizeMean], state[s + S.sizeVar], isFirst),
    standardised(logGap, state[s + S.gapMean], state[s + S.gapVar], count < 2),
    Math.sign(change),
    state[s + S.drift] / sigma,
    Math.log(Math.max(SIGMA_MIN, Math.sqrt(fast)) / sigma),
    Math.abs(change) / sigma,
    Math.min(count, 20) / 20,
  ];
  for (let i = 0; i < TICK_INPUT_SIZE; i += 1) inputs[inputAt + i] = Math.max(-CLAMP, Math.min(CLAMP, values[i]));
  if (!isFirst) {
    // A jump (a split, a bad print) counts as CLAMP deviations at most, so that it does not blind the series for long.
    const square = Math.min(change * change, slow * CLAMP * CLAMP);
    state[s + S.slow] = slow + Math.max(SLOW, 1 / (count + 5)) * (square - slow);
    state[s + S.fast] = fast + FAST * (square - fast);
    state[s + S.drift] += FAST * (Math.max(-CLAMP * sigma, Math.min(CLAMP * sigma, change)) - state[s + S.drift]);
    state[s + S.gapMs] += weight(STATISTICS, count - 1) * (gapMs - state[s + S.gapMs]);
    track(state, s + S.gapMean, s + S.gapVar, logGap, count - 1);
  } else {
    state[s + S.slow] = slow;
    state[s + S.fast] = fast;
  }
  track(state, s + S.sizeMean, s + S.sizeVar, logSize, count);
  state[s + S.count] = count + 1;
  state[s + S.price] = price;
  state[s + S.timeMs] = isFirst ? timeMs : Math.max(timeMs, state[s + S.timeMs]);
  context[contextAt + TICK_CONTEXT.price] = price;
  context[contextAt + TICK_CONTEXT.sigma] = Math.max(SIGMA_MIN, Math.sqrt(state[s + S.slow]));
  context[contextAt + TICK_CONTEXT.gapMs] = state[s + S.gapMs];
}

function standardised(value: number, mean: number, variance: number, isFirst: boolean): number {
  return isFirst ? 0 : (value - mean) / Math.max(0.1, Math.sqrt(variance));
}

/** Running mean and variance (West 1979, exponentially weighted). */
function track(state: Float64Array, meanAt: number, varAt: number, value: number, count: number): void {
  const alpha = weight(STATISTICS, count);
  const difference = value - state[meanAt];
  state[meanAt] += alpha * difference;
  state[varAt] = (1 - alpha) * (state[varAt] + alpha * difference * difference);
}
