import { classGroupsOf, createModel, type Model } from '@tideline/nn';
import type { ClassTarget } from './class-loss.ts';
import { shares } from './class-loss.ts';

/** A validation row's raw outputs, and what each question of the head should have answered. */
export interface JudgedRow {
  readonly outputs: ArrayLike<number>;
  readonly targets: readonly ClassTarget[];
}

/** Temperatures looked at: e^-2 to e^2. */
const LOG_MAX = 2;
const STEPS = 40;
const ROUNDS = 3;
const OFFSET_STEPS = 20;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** One row of one question: its outputs and what they should have answered. */
interface QuestionRow {
  readonly z: readonly number[];
  readonly target: readonly number[];
}

export interface CalibrationForm {
  /** Also an offset a class, so that each class is said as often as it comes; else temperatures only, which leave the likeliest class as it is. */
  readonly offsets?: boolean;
}

/**
 * The model with probabilities that mean what they say. Training with class weights w makes rare classes likelier by w: their logarithm is taken off
 * again. Then each question's outputs are divided by the temperature that makes the validation rows likeliest (C. Guo et al., "On Calibration of Modern
 * Neural Networks", ICML 2017). All go into the head's weights: whoever steps the model needs to know nothing of it.
 */
export function calibrated(
  model: Model,
  rows: readonly JudgedRow[],
  classWeights: readonly (readonly number[] | undefined)[],
  { offsets = false }: CalibrationForm = {},
): Model {
  const { spec, weights } = model;
  const headW = weights.headW.slice();
  const headB = weights.headB.slice();
  const reads = headW.length / spec.outputSize;
  classGroupsOf(spec).forEach(({ from, count }, g) => {
    const shift = Array.from({ length: count }, (_, c) => -Math.log(classWeights[g]?.[c] ?? 1));
    const judged: QuestionRow[] = rows.flatMap(({ outputs, targets }) => {
      const target = targets[g];
      return target === null ? [] : [{ z: shift.map((value, c) => outputs[from + c] + value), target }];
    });
    const { temperature, offset } = fit(judged, count, offsets);
    for (let c = 0; c < count; c += 1) {
      const o = from + c;
      headB[o] = (headB[o] + shift[c]) / temperature + offset[c];
      for (let i = o * reads; i < (o + 1) * reads; i += 1) headW[i] /= temperature;
    }
  });
  return createModel(spec, { ...weights, headW, headB });
}

/** Temperature and offsets in turn: each makes the rows likelier. */
function fit(
  rows: readonly QuestionRow[],
  count: number,
  offsets: boolean,
): { readonly temperature: number; readonly offset: readonly number[] } {
  const none = new Array<number>(count).fill(0);
  if (rows.length === 0) return { temperature: 1, offset: none };
  let temperature = bestTemperature(rows, none);
  if (!offsets) return { temperature, offset: none };
  let offset = none;
  for (let round = 0; round < ROUNDS; round += 1) {
    offset = bestOffsets(rows, temperature, offset);
    temperature = bestTemperature(rows, offset);
  }
  return { temperature, offset };
}

/**
 * Each class is made likelier by how much oftener it came than was said. One row more on each side slows the steps of rare classes, so that one that never
 * came keeps a small share.
 */
function bestOffsets(rows: readonly QuestionRow[], temperature: number, from: readonly number[]): number[] {
  const offset = [...from];
  const came = offset.map((_, c) => rows.reduce((sum, { target }) => sum + target[c], 0));
  for (let step = 0; step < OFFSET_STEPS; step += 1) {
    const said = offset.map(() => 0);
    for (const { z } of rows)
      shares(
        z.map((value, c) => value / temperature + offset[c]),
        { from: 0, count: z.length },
      ).forEach((share, c) => {
        said[c] += share;
      });
    for (let c = 0; c < offset.length; c += 1) offset[c] += Math.log((came[c] + 1) / (said[c] + 1));
  }
  return offset;
}

/** By golden section over the logarithm: the likelihood has one greatest value there. */
function bestTemperature(rows: readonly QuestionRow[], offset: readonly number[]): number {
  const loss = (log: number): number => {
    let sum = 0;
    for (const { z, target } of rows) {
      const scaled = z.map((value, c) => value / Math.exp(log) + offset[c]);
      const p = shares(scaled, { from: 0, count: z.length });
      target.forEach((share, c) => {
        if (share > 0) sum -= share * Math.log(Math.max(p[c], 1e-12));
      });
    }
    return sum;
  };
  let [low, high] = [-LOG_MAX, LOG_MAX];
  for (let step = 0; step < STEPS; step += 1) {
    const [a, b] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}
