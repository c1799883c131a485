/**
 * Measurement `call_rollup`: what one turn adds to the figures of its agent, queue and supervisor. A sum over any span and any of the tags is the roll-up.
 * A point a turn, because only a point of one record keeps to one value: a sum that is written again as it grows could be put back by a forecaster that was
 * taken for dead (docs/decisions/0010-roll-ups.md). No tag is a call's, so that a year of calls is no more series than a day's.
 */
import { escapeTag, stringField } from '@tideline/pipeline';
import { HASH_SEED, hashOf } from './turns.ts';

/** Places in the state: latest end of a turn so far plus 1, begin of the turn before plus 1 (both on the call's clock, ms; 0: not known), its speaker. */
const R = { end: 0, start: 1, speaker: 2 } as const;
export const ROLLUP_STATE_SIZE = 3;

/** A turn longer, or further from the one before, than this says that the call's clock jumped. */
const JUMP_MS = 600_000;
/** VADER's own threshold of a negative text, for models that do not say. */
const NEGATIVE_SCORE = -0.05;

export interface RolledTurn {
  readonly callId: string;
  readonly speaker: string;
  readonly score: number;
  /** Null: the model does not say. */
  readonly probabilities: readonly [negative: number, neutral: number, positive: number] | null;
  /** NaN where the record does not say. */
  readonly startMs: number;
  readonly endMs: number;
  /** The line was held before it. */
  readonly isHeld: boolean;
  /** Of its call. */
  readonly isFirst: boolean;
  /** Found at it. */
  readonly alerts: number;
}

/** Fields of the turn's point; takes the turn into the state at `at`, [ROLLUP_STATE_SIZE]. Times on hold are no silence, and late turns have none. */
export function rollTurn(turn: RolledTurn, state: Float64Array, at: number): string {
  const { callId, speaker, score, probabilities, startMs, endMs, isHeld, isFirst, alerts } = turn;
  const lengthMs = endMs - startMs;
  const isTimed = lengthMs >= 0 && lengthMs < JUMP_MS;
  const speakerHash = hashOf(speaker, HASH_SEED);
  const isInOrder = state[at + R.end] > 0 && startMs >= state[at + R.start] - 1;
  const gapMs = isInOrder ? startMs - (state[at + R.end] - 1) : 0;
  const isNear = Math.abs(gapMs) < JUMP_MS;
  const interrupts = isNear && gapMs < 0 && speakerHash !== state[at + R.speaker];
  const isCustomer = speaker === 'customer';
  if (isTimed && (isInOrder || state[at + R.end] === 0)) {
    state[at + R.end] = isNear ? Math.max(state[at + R.end], endMs + 1) : endMs + 1;
    state[at + R.start] = startMs + 1;
    state[at + R.speaker] = speakerHash;
  }
  const flag = (isSet: boolean): string => (isSet ? '1i' : '0i');
  return (
    `alerts=${alerts}i,call=${stringField(callId)},calls=${flag(isFirst)},customer_score=${isCustomer ? score : 0},` +
    `customer_turns=${flag(isCustomer)},interruptions=${flag(interrupts)},negative=${flag(isNegative(score, probabilities))},` +
    `overlap_ms=${interrupts ? wholeMs(-gapMs) : 0}i,score=${score},silence_ms=${isNear && gapMs > 0 && !isHeld ? wholeMs(gapMs) : 0}i,` +
    `talk_ms=${isTimed ? wholeMs(lengthMs) : 0}i,turns=1i`
  );
}

/** The supervisor of an agent, as a tag's value; `unknown` where nobody said. */
export function supervisorTags(
  supervisors: readonly { readonly name: string; readonly agents: readonly string[] }[],
): (agent: string) => string {
  const tags = new Map(supervisors.flatMap(({ name, agents }) => agents.map((agent) => [agent, escapeTag(name)])));
  return (agent) => tags.get(agent) ?? 'unknown';
}

/** Whether a turn counts as negative: the likeliest class, or the lexicon's threshold where the model does not say. */
export function isNegative(score: number, probabilities: RolledTurn['probabilities']): boolean {
  if (probabilities === null) return score <= NEGATIVE_SCORE;
  const [negative, neutral, positive] = probabilities;
  return negative > neutral && negative > positive;
}

function wholeMs(ms: number): number {
  return Math.round(ms);
}
