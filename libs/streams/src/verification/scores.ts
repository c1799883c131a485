/**
 * Running scores of one series and horizon, as numbers in its output state. Errors are of log returns: a naive forecast says 0. Totals and sums since the
 * last point are exact; what is `running` remembers about `memory` forecasts (weight 1/n while that is larger).
 */
import { pinball } from '../quantile-loss.ts';
import type { ScoreOptions } from './options.ts';

const S = {
  scored: 0,
  covered: 1,
  runningCoverage: 2,
  runningError: 3,
  runningNaive: 4,
  runningPinball: 5,
  truePositive: 6,
  trueNegative: 7,
  falsePositive: 8,
  falseNegative: 9,
  sinceCount: 10,
  sinceCovered: 11,
  sincePinball: 12,
  sinceError: 13,
  sinceNaive: 14,
  sinceHits: 15,
  sinceDirections: 16,
} as const;
export const SCORES_SIZE = 17;

/** A forecast whose truth has come: its quantiles [count] at `quantilesAt` of `values`. `weight`: how many forecasts it stands for. */
export interface Settled {
  readonly values: Float64Array;
  readonly quantilesAt: number;
  readonly middle: number;
  readonly weight: number;
  /** Log return that came. */
  readonly truth: number;
}

/** Takes the forecast into the scores at `at`. */
export function score(state: Float64Array, at: number, levels: readonly number[], one: Settled, memory: number): void {
  const { values, quantilesAt, middle, weight, truth } = one;
  const median = values[quantilesAt + middle];
  const last = quantilesAt + levels.length - 1;
  let loss = 0;
  for (let i = 0; i < levels.length; i += 1) loss += pinball(levels[i], truth, values[quantilesAt + i]);
  loss /= levels.length;
  const error = Math.abs(truth - median);
  const naive = Math.abs(truth);
  const covered = truth >= values[quantilesAt] && truth <= values[last] ? 1 : 0;
  state[at + S.scored] += weight;
  state[at + S.covered] += weight * covered;
  const share = Math.min(1, weight * Math.max(1 / memory, 1 / state[at + S.scored]));
  state[at + S.runningCoverage] += share * (covered - state[at + S.runningCoverage]);
  state[at + S.runningError] += share * (error - state[at + S.runningError]);
  state[at + S.runningNaive] += share * (naive - state[at + S.runningNaive]);
  state[at + S.runningPinball] += share * (loss - state[at + S.runningPinball]);
  state[at + S.sinceCount] += weight;
  state[at + S.sinceCovered] += weight * covered;
  state[at + S.sincePinball] += weight * loss;
  state[at + S.sinceError] += weight * error;
  state[at + S.sinceNaive] += weight * naive;
  // A price that has not moved went neither way, and a median of 0 says neither.
  if (truth === 0 || median === 0) return;
  const isHit = truth > 0 === median > 0;
  state[at + S.sinceDirections] += weight;
  if (isHit) state[at + S.sinceHits] += weight;
  const kept = 1 - Math.min(1, weight / memory);
  for (let i: number = S.truePositive; i <= S.falseNegative; i += 1) state[at + i] *= kept;
  const place = truth > 0 ? (isHit ? S.truePositive : S.falseNegative) : isHit ? S.trueNegative : S.falsePositive;
  state[at + place] += weight;
}

/** Whether a point is due. */
export function isPointDue(state: Float64Array, at: number, { every }: ScoreOptions): boolean {
  return state[at + S.sinceCount] >= every;
}

/**
 * Fields of the point, and begins the next one's sums. `count`, `covered`, `directions`, `hits` and the sums are of the forecasts since the last point, so
 * that sums over points and series are exact.
 */
export function takeScoreFields(state: Float64Array, at: number): string {
  const value = (place: number): number => state[at + place];
  const naive = value(S.runningNaive);
  const mase = naive > 0 ? `mase=${value(S.runningError) / naive},` : '';
  const mcc = matthews(state, at);
  const fields =
    `count=${value(S.sinceCount)}i,coverage=${value(S.runningCoverage)},coverage_total=${value(S.covered) / value(S.scored)},` +
    `covered=${value(S.sinceCovered)}i,directions=${value(S.sinceDirections)}i,error_sum=${value(S.sinceError)},` +
    `hits=${value(S.sinceHits)}i,${mase}${mcc === null ? '' : `mcc=${mcc},`}naive_sum=${value(S.sinceNaive)},` +
    `pinball=${value(S.runningPinball)},pinball_sum=${value(S.sincePinball)},scored=${value(S.scored)}i`;
  for (let i: number = S.sinceCount; i <= S.sinceDirections; i += 1) state[at + i] = 0;
  return fields;
}

/** Matthews, Biochimica et Biophysica Acta 405, 1975; null where one side was never said or never came. */
function matthews(state: Float64Array, at: number): number | null {
  const [tp, tn] = [state[at + S.truePositive], state[at + S.trueNegative]];
  const [fp, fn] = [state[at + S.falsePositive], state[at + S.falseNegative]];
  const below = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
  return below > 0 ? (tp * tn - fp * fn) / below : null;
}
