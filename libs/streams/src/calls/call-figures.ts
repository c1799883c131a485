/**
 * How a call stands at a turn: the mean sentiment of customer and of the others, where the sentiment is going, and how the call's time was spent. Running
 * sums in the call's output state, so the figures of any turn are exact after any fault.
 */
import type { TurnTiming } from './turn-timing.ts';

/** Places in the state: turns and summed scores of the customer and of the others, then weighted sums for the trend, then times, ms, and interruptions. */
const F = {
  ...{ customerTurns: 0, customerScore: 1, otherTurns: 2, otherScore: 3 },
  ...{ weight: 4, age: 5, squaredAge: 6, score: 7, agedScore: 8 },
  ...{ customerTalkMs: 9, otherTalkMs: 10, silenceMs: 11, overlapMs: 12, interruptions: 13 },
} as const;
export const CALL_FIGURES_SIZE = 14;

/** A turn counts 0.8 times as much in the trend as the one after it. */
const FORGETTING = 0.8;

export interface FiguredTurn {
  readonly isCustomer: boolean;
  /** -1 to 1. */
  readonly score: number;
  readonly timing: TurnTiming;
}

/** Takes the turn into the state at `at`, [CALL_FIGURES_SIZE], and gives the fields of the call so far; what is not known yet is left out. */
export function figureTurn({ isCustomer, score, timing }: FiguredTurn, state: Float64Array, at: number): string {
  const add = (place: number, value: number): void => {
    state[at + place] += value;
  };
  add(isCustomer ? F.customerTurns : F.otherTurns, 1);
  add(isCustomer ? F.customerScore : F.otherScore, score);
  add(isCustomer ? F.customerTalkMs : F.otherTalkMs, timing.talkMs);
  add(F.silenceMs, timing.silenceMs);
  add(F.overlapMs, timing.overlapMs);
  add(F.interruptions, timing.interrupts ? 1 : 0);
  const value = (place: number): number => state[at + place];
  const talkMs = value(F.customerTalkMs) + value(F.otherTalkMs);
  // What two say at once is one stretch of the call.
  const callMs = talkMs - value(F.overlapMs) + value(F.silenceMs);
  const turns = value(F.customerTurns) + value(F.otherTurns);
  return (
    `${share('agent_score', value(F.otherScore), value(F.otherTurns))}` +
    `${share('customer_score', value(F.customerScore), value(F.customerTurns))}` +
    `${share('customer_talk_share', value(F.customerTalkMs), talkMs)}` +
    `interruption_share=${value(F.interruptions) / turns},` +
    `${share('overlap_share', value(F.overlapMs), callMs)}${share('silence_share', value(F.silenceMs), callMs)}` +
    `trend=${trendOf(state, at, score)}`
  );
}

function share(name: string, part: number, whole: number): string {
  return whole > 0 ? `${name}=${part / whole},` : '';
}

/**
 * Change of the score from one turn to the next: the slope of the line through the call's scores by least squares, newer turns weighted more. 0 at the first
 * turn. The sums are over ages, which all grow by one with a turn.
 */
function trendOf(state: Float64Array, at: number, score: number): number {
  const [w, a, aa, s, as] = [F.weight, F.age, F.squaredAge, F.score, F.agedScore].map((place) => state[at + place]);
  const weight = FORGETTING * w + 1;
  const age = FORGETTING * (a + w);
  const squaredAge = FORGETTING * (aa + 2 * a + w);
  const sum = FORGETTING * s + score;
  const agedScore = FORGETTING * (as + s);
  state.set([weight, age, squaredAge, sum, agedScore], at + F.weight);
  const spread = weight * squaredAge - age * age;
  return spread > 0 ? (age * sum - weight * agedScore) / spread : 0;
}
