/** How a turn lies in its call's time, by the call's own clock. */
import { HASH_SEED, hashOf } from './turns.ts';

/** Places in the state: latest end of a turn so far plus 1, begin of the turn before plus 1 (both on the call's clock, ms; 0: not known), its speaker. */
const R = { end: 0, start: 1, speaker: 2 } as const;
export const TIMING_STATE_SIZE = 3;

/** A turn longer, or further from the one before, than this says that the call's clock jumped. */
const JUMP_MS = 600_000;

export interface TimedTurn {
  readonly speaker: string;
  /** NaN where the record does not say. */
  readonly startMs: number;
  readonly endMs: number;
  /** The line was held before it. */
  readonly isHeld: boolean;
}

/** Whole milliseconds; zeros where the clock does not say. */
export interface TurnTiming {
  readonly talkMs: number;
  /** Between the end of what was said before and the turn; none where the line was held. */
  readonly silenceMs: number;
  /** Of the turn with what another was still saying. */
  readonly overlapMs: number;
  readonly interrupts: boolean;
}

/** Takes the turn into the state at `at`, [TIMING_STATE_SIZE]. Late turns have no silence and no overlap. */
export function timeTurn({ speaker, startMs, endMs, isHeld }: TimedTurn, state: Float64Array, at: number): TurnTiming {
  const lengthMs = endMs - startMs;
  const isTimed = lengthMs >= 0 && lengthMs < JUMP_MS;
  const speakerHash = hashOf(speaker, HASH_SEED);
  const isInOrder = state[at + R.end] > 0 && startMs >= state[at + R.start] - 1;
  const gapMs = isInOrder ? startMs - (state[at + R.end] - 1) : 0;
  const isNear = Math.abs(gapMs) < JUMP_MS;
  const interrupts = isNear && gapMs < 0 && speakerHash !== state[at + R.speaker];
  if (isTimed && (isInOrder || state[at + R.end] === 0)) {
    state[at + R.end] = isNear ? Math.max(state[at + R.end], endMs + 1) : endMs + 1;
    state[at + R.start] = startMs + 1;
    state[at + R.speaker] = speakerHash;
  }
  return {
    talkMs: isTimed ? Math.round(lengthMs) : 0,
    silenceMs: isNear && gapMs > 0 && !isHeld ? Math.round(gapMs) : 0,
    overlapMs: interrupts ? Math.round(-gapMs) : 0,
    interrupts,
  };
}
