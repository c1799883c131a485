/**
 * Which turns a call has taken, in its state. A turn is known by its speaker and its own id (`turnId`), else by its speaker and when it began on the call's
 * clock (`startMs`), else by speaker, event time and text. Recognisers send a turn many times: partial, final, final again, final corrected.
 */
import type { Chunk } from '@tideline/pipeline';
import { CALL_NUMBERS, CALL_TEXTS } from './decode.ts';

/** Newest turns that a call remembers. One that began before all of them is taken for a turn that was taken already. */
const TURNS_MAX = 32;

/** Places: turns taken, then for each of the newest its key and its beginning (NaN where the record does not say). */
const T = { count: 0, keys: 1, starts: 1 + TURNS_MAX } as const;

/** float64 values of a call's turns. */
export const TURNS_SIZE = 1 + 2 * TURNS_MAX;

/** A partial utterance is corrected by its final version: only that one is a turn. */
export function isFinal(chunk: Chunk, row: number): boolean {
  return chunk.texts[CALL_TEXTS.type][row] === 'utterance' && chunk.numbers[CALL_NUMBERS.final][row] !== 0;
}

/** Whether the row is a turn of the call that has been taken: the same once more, or a correction of it. */
export function isTakenTurn(chunk: Chunk, row: number, state: Float64Array, at: number): boolean {
  const kept = Math.min(state[at + T.count], TURNS_MAX);
  if (kept === 0) return false;
  const key = turnKey(chunk, row);
  for (let i = 0; i < kept; i += 1) if (state[at + T.keys + i] === key) return true;
  return kept === TURNS_MAX && beganBeforeAll(chunk.numbers[CALL_NUMBERS.startMs][row], state, at + T.starts);
}

/** Notes the turn, in place of the one that was noted longest ago. */
export function takeTurn(chunk: Chunk, row: number, state: Float64Array, at: number): void {
  const place = state[at + T.count] % TURNS_MAX;
  state[at + T.keys + place] = turnKey(chunk, row);
  state[at + T.starts + place] = chunk.numbers[CALL_NUMBERS.startMs][row];
  state[at + T.count] += 1;
}

function beganBeforeAll(startMs: number, state: Float64Array, at: number): boolean {
  for (let i = 0; i < TURNS_MAX; i += 1) if (!(startMs < state[at + i])) return false;
  return true;
}

/** 52 bits of two FNV-1a sums: two turns of one call that share them do not happen. */
function turnKey(chunk: Chunk, row: number): number {
  const speaker = chunk.texts[CALL_TEXTS.speaker][row];
  const turn = chunk.texts[CALL_TEXTS.turn][row];
  const startMs = chunk.numbers[CALL_NUMBERS.startMs][row];
  const moment = `${chunk.timeMs[row]}\n${chunk.timeSubNs[row]}\n${chunk.texts[CALL_TEXTS.text][row]}`;
  const own = turn !== '' ? `t${turn}` : Number.isNaN(startMs) ? `m${moment}` : `s${startMs}`;
  const text = `${speaker}\n${own}`;
  return (hashOf(text, HASH_SEED) % 2 ** 20) * 2 ** 32 + hashOf(text, 0x01234567);
}

export const HASH_SEED = 0x811c9dc5;

/** FNV-1a, 32 bits, over UTF-16 units, from a seed. */
export function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
