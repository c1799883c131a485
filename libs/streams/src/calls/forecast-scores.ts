/**
 * Measurement `score` of calls: what probabilities turned out to be worth. A forecast waits in the call's output state until its turns have been said; then
 * it is counted in its bin of the reliability table, and its squared distance from what came is a term of the Brier score. A point holds what one turn
 * settled, so sums over any span are exact after any fault (ADR 0010): the Brier score is sum(brier_sum) / sum(count), a bin said sum(said_sum) / sum(count)
 * and sum(came) / sum(count) came. A forecast whose call ends first is not scored: nobody knows.
 */
import { ESCALATION_TURNS } from './outputs.ts';

/** Forecasts of a kind that wait at once; while so many wait, later ones are not followed. */
const PENDING_MAX = 8;
/** Places of a kind: how many wait, then of each, oldest first, the probability and whether a negative turn has come. */
const KIND_SIZE = 1 + 2 * PENDING_MAX;
const BINS = 10;
/** What is followed, in the state's order. */
const KINDS = ['escalation', 'dissatisfied'] as const;
export const FORECAST_SCORES_SIZE = KINDS.length * KIND_SIZE;

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
}

/** Forecasts of one kind and bin that one turn settled. */
export interface SettledBin {
  readonly of: (typeof KINDS)[number];
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

function count(settled: SettledBin[], of: SettledBin['of'], said: number, hasCome: boolean): void {
  const bin = Math.min(BINS - 1, Math.floor(said * BINS));
  const at = settled.findIndex((one) => one.of === of && one.bin === bin);
  const before = at === -1 ? { count: 0, came: 0, saidSum: 0, brierSum: 0 } : settled[at];
  const came = hasCome ? 1 : 0;
  settled[at === -1 ? settled.length : at] = {
    ...{ of, bin, count: before.count + 1, came: before.came + came },
    ...{ saidSum: before.saidSum + said, brierSum: before.brierSum + (said - came) ** 2 },
  };
}
