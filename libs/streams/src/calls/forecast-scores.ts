/**
 * Measurement `score` of calls: what probabilities turned out to be worth. A forecast waits in the call's output state until its turns have been said; then
 * it is counted in its bin of the reliability table, and its squared distance from what came is a term of the Brier score. A point holds what one turn
 * settled, so sums over any span are exact after any fault (ADR 0010): the Brier score is sum(brier_sum) / sum(count), a bin said sum(said_sum) / sum(count)
 * and sum(came) / sum(count) came. A forecast whose call ends first is not scored: nobody knows.
 * What is said of the whole call waits for the rating that its `ended` brings: as sums by bins, so that a call of any length needs the same room.
 */
import { ESCALATION_TURNS } from './outputs.ts';

/** Forecasts of a kind that wait at once; while so many wait, later ones are not followed. */
const PENDING_MAX = 8;
/** Places of a kind: how many wait, then of each, oldest first, the probability and whether a negative turn has come. */
const KIND_SIZE = 1 + 2 * PENDING_MAX;
const BINS = 10;
/** What is followed, in the state's order. */
const KINDS = ['escalation', 'dissatisfied'] as const;
/** Behind the kinds, of the forecasts of the whole call's rating, a bin each: how many, the sum of the probabilities, that of their squares. */
const CALL_AT = KINDS.length * KIND_SIZE;
const BIN_SIZE = 3;
export const FORECAST_SCORES_SIZE = CALL_AT + BINS * BIN_SIZE;

/**
 * When an `escalation` is known: a model with groups speaks of the next ESCALATION_TURNS turns, the small model that ships of the customer's next one.
 * `dissatisfied` is of the customer's next turn and known where that has a rating.
 */
export type EscalationHorizon = 'turns' | 'customer';

export interface FollowedTurn {
  readonly isCustomer: boolean;
  readonly isNegative: boolean;
  /** The customer's rating of the turn, 1 to 5; NaN: nobody said. */
  readonly rating: number;
  /** What is forecast at it; null: the model does not say. */
  readonly escalation: number | null;
  readonly dissatisfied: number | null;
  /** That the whole call will be rated below 3. */
  readonly callDissatisfied: number | null;
}

/** Forecasts of one kind and bin that one turn, or the end of the call, settled. */
export interface SettledBin {
  /** `call`: that the whole call will be rated below 3, said at each turn; `summary`: the same, said once when it was over. */
  readonly of: (typeof KINDS)[number] | 'call' | 'summary';
  readonly bin: number;
  readonly count: number;
  readonly came: number;
  readonly saidSum: number;
  readonly brierSum: number;
}

/** Settles what waited for this turn, then keeps what is forecast at it in the state at `at`, [FORECAST_SCORES_SIZE]. */
export function followForecasts(
  turn: FollowedTurn,
  state: Float64Array,
  at: number,
  horizon: EscalationHorizon,
): SettledBin[] {
  const settled: SettledBin[] = [];
  const [escalation, dissatisfied] = KINDS.map((_, k) => at + k * KIND_SIZE);
  if (horizon === 'turns') {
    if (turn.isNegative) for (let i = 0; i < state[escalation]; i += 1) state[escalation + 2 + 2 * i] = 1;
    // The oldest was made ESCALATION_TURNS turns ago.
    if (state[escalation] === ESCALATION_TURNS) {
      const { said, hasTurned } = takeOldest(state, escalation);
      count(settled, 'escalation', said, hasTurned);
    }
  } else if (turn.isCustomer)
    while (state[escalation] > 0) count(settled, 'escalation', takeOldest(state, escalation).said, turn.isNegative);
  if (turn.isCustomer)
    while (state[dissatisfied] > 0) {
      const { said } = takeOldest(state, dissatisfied);
      if (turn.rating >= 1) count(settled, 'dissatisfied', said, turn.rating < 3);
    }
  keep(state, escalation, turn.escalation);
  keep(state, dissatisfied, turn.dissatisfied);
  if (turn.callDissatisfied !== null) {
    const bin = at + CALL_AT + binOf(turn.callDissatisfied) * BIN_SIZE;
    state[bin] += 1;
    state[bin + 1] += turn.callDissatisfied;
    state[bin + 2] += turn.callDissatisfied ** 2;
  }
  return settled;
}

/** What the end of a call tells. */
export interface ToldEnd {
  /** Of the whole call, 1 to 5; NaN: nobody rated it, and nothing is settled. */
  readonly rating: number;
  /** What the reader of the whole call said; null: none read it. */
  readonly dissatisfied: number | null;
}

/** Settles what was said of the whole call, from the state at `at`, [FORECAST_SCORES_SIZE]. */
export function settleCall({ rating, dissatisfied }: ToldEnd, state: Float64Array, at: number): SettledBin[] {
  if (!(rating >= 1)) return [];
  const came = rating < 3 ? 1 : 0;
  const settled: SettledBin[] = [];
  for (let bin = 0; bin < BINS; bin += 1) {
    const place = at + CALL_AT + bin * BIN_SIZE;
    const [forecasts, saidSum, squares] = state.subarray(place, place + BIN_SIZE);
    // sum (said - came)^2
    const brierSum = squares - 2 * came * saidSum + came * forecasts;
    if (forecasts > 0) settled.push({ of: 'call', bin, count: forecasts, came: came * forecasts, saidSum, brierSum });
  }
  if (dissatisfied !== null) count(settled, 'summary', dissatisfied, came === 1);
  return settled;
}

/** Fields of a settled bin's point. */
export function settledFields({ count: forecasts, came, saidSum, brierSum }: SettledBin): string {
  return `brier_sum=${brierSum},came=${came}i,count=${forecasts}i,said_sum=${saidSum}`;
}

function takeOldest(state: Float64Array, at: number): { readonly said: number; readonly hasTurned: boolean } {
  const oldest = { said: state[at + 1], hasTurned: state[at + 2] === 1 };
  state.copyWithin(at + 1, at + 3, at + KIND_SIZE);
  state[at] -= 1;
  return oldest;
}

function keep(state: Float64Array, at: number, said: number | null): void {
  if (said === null || state[at] === PENDING_MAX) return;
  const place = at + 1 + 2 * state[at];
  state[place] = said;
  state[place + 1] = 0;
  state[at] += 1;
}

function binOf(said: number): number {
  return Math.min(BINS - 1, Math.floor(said * BINS));
}

function count(settled: SettledBin[], of: SettledBin['of'], said: number, hasCome: boolean): void {
  const bin = binOf(said);
  const at = settled.findIndex((one) => one.of === of && one.bin === bin);
  const before = at === -1 ? { count: 0, came: 0, saidSum: 0, brierSum: 0 } : settled[at];
  const came = hasCome ? 1 : 0;
  settled[at === -1 ? settled.length : at] = {
    ...{ of, bin, count: before.count + 1, came: before.came + came },
    ...{ saidSum: before.saidSum + said, brierSum: before.brierSum + (said - came) ** 2 },
  };
}
