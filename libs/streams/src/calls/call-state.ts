/** Where everything of a call's stream state and of a row's context stands. */
import { textStateSize } from './text-state.ts';
import { TURNS_SIZE } from './turns.ts';

export const TAG_NUMBERS = textStateSize(42);

/** Places in the stream state: utterances so far, sum of the lexicon's compound scores, time of the last one, whether the line is held, queue, agent, turns. */
const AGENT = 4 + TAG_NUMBERS;
export const S = {
  count: 0,
  compoundSum: 1,
  lastMs: 2,
  held: 3,
  queue: 4,
  agent: AGENT,
  turns: AGENT + TAG_NUMBERS,
} as const;
export const STATE_SIZE = S.turns + TURNS_SIZE;

/** Places in a row's context: the call's mean compound score, then queue and agent as they were at the row. */
export const CALL_CONTEXT = {
  score: 0,
  compound: 1,
  queue: 2,
  agent: 2 + TAG_NUMBERS,
  silenceMs: 2 + 2 * TAG_NUMBERS,
  /** Whether the line was held before it; turns before it. */
  held: 3 + 2 * TAG_NUMBERS,
  count: 4 + 2 * TAG_NUMBERS,
} as const;
export const CONTEXT_SIZE = CALL_CONTEXT.count + 1;
