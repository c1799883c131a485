/**
 * Measurement `call_rollup`: what one turn adds to the figures of its agent, queue and supervisor. A sum over any span and any of the tags is the roll-up.
 * A point a turn, because only a point of one record keeps to one value: a sum that is written again as it grows could be put back by a forecaster that was
 * taken for dead (docs/decisions/0010-roll-ups.md). No tag is a call's, so that a year of calls is no more series than a day's.
 */
import { escapeTag, stringField } from '@tideline/pipeline';
import type { TurnTiming } from './turn-timing.ts';

/** VADER's own threshold of a negative text, for models that do not say. */
const NEGATIVE_SCORE = -0.05;

export interface RolledTurn {
  readonly callId: string;
  readonly speaker: string;
  readonly score: number;
  /** Null: the model does not say. */
  readonly probabilities: readonly [negative: number, neutral: number, positive: number] | null;
  readonly timing: TurnTiming;
  /** Of its call. */
  readonly isFirst: boolean;
  /** Found at it. */
  readonly alerts: number;
}

/** Fields of the turn's point. */
export function rollTurn(turn: RolledTurn): string {
  const { callId, speaker, score, probabilities, timing, isFirst, alerts } = turn;
  const { talkMs, silenceMs, overlapMs, interrupts } = timing;
  const isCustomer = speaker === 'customer';
  const flag = (isSet: boolean): string => (isSet ? '1i' : '0i');
  return (
    `alerts=${alerts}i,call=${stringField(callId)},calls=${flag(isFirst)},customer_score=${isCustomer ? score : 0},` +
    `customer_turns=${flag(isCustomer)},interruptions=${flag(interrupts)},negative=${flag(isNegative(score, probabilities))},` +
    `overlap_ms=${overlapMs}i,score=${score},silence_ms=${silenceMs}i,` +
    `talk_ms=${talkMs}i,turns=1i`
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
