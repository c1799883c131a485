/**
 * What a call keeps of itself for its summary, in its output state: what the network at the end will read of each turn, and the texts that may become lines.
 * Bounded: the newest TURNS_MAX turns and TEXTS_MAX texts, of which one is the newest turn's, one the customer's first request, the others those with the most
 * feeling. All of it is a function of the turns alone.
 */
import { readText, textStateSize, writeText } from './text-state.ts';

/** Turns that the network at the end reads at most. */
export const SUMMARY_TURNS_MAX = 96;
const TEXTS_MAX = 6;
const TEXT_BYTES_MAX = 162;
const TEXT_NUMBERS = textStateSize(TEXT_BYTES_MAX);
/** A double holds six bytes exactly. */
const FEATURES_A_NUMBER = 6;

/** What the network reads of a turn, one byte each. */
export const SUMMARY_FEATURES = [
  ...['score', 'compound', 'negative', 'positive', 'escalation', 'dissatisfied'],
  ...['customer', 'agent', 'silence', 'words', 'question', 'held'],
] as const;
export const SUMMARY_INPUTS = 12;
/** Those that may be below zero stand first. */
const SIGNED = 2;

const TURN_NUMBERS = SUMMARY_INPUTS / FEATURES_A_NUMBER;
const TEXT_PLACES = 3 + TEXT_NUMBERS;
const P = { noted: 0, firstMs: 1, lastMs: 2, lastNs: 3, lastOffset: 4, categories: 5, turns: 6 } as const;
const TEXTS = P.turns + SUMMARY_TURNS_MAX * TURN_NUMBERS;
export const SUMMARY_STATE_SIZE = TEXTS + TEXTS_MAX * TEXT_PLACES;
/** Places of a text: turn number from 1 (0: none), rank, whether the customer said it, text. */
const T = { turn: 0, rank: 1, customer: 2, text: 3 } as const;
/** Above every feeling. */
const REQUEST_RANK = 10;
const REQUEST_WORDS_MIN = 4;

export interface SummaryTurn {
  readonly speaker: string;
  readonly text: string;
  readonly words: number;
  readonly score: number;
  readonly compound: number;
  readonly negative: number;
  readonly positive: number;
  /** 0 where the model does not say. */
  readonly escalation: number;
  readonly dissatisfied: number;
  readonly silenceMs: number;
  readonly isHeld: boolean;
  readonly timeMs: number;
  /** Of the turn's point, behind the millisecond. */
  readonly timeNs: number;
  readonly offset: number;
  /** Bits of the categories that it belongs to. */
  readonly categories: number;
}

/** Takes the turn into the state at `at`, [SUMMARY_STATE_SIZE]. */
export function noteTurn(turn: SummaryTurn, state: Float64Array, at: number): void {
  const number = state[at + P.noted] + 1;
  if (number === 1) state[at + P.firstMs] = turn.timeMs;
  state[at + P.noted] = number;
  state[at + P.lastMs] = turn.timeMs;
  state[at + P.lastNs] = turn.timeNs;
  state[at + P.lastOffset] = turn.offset;
  state[at + P.categories] = (state[at + P.categories] | turn.categories) >>> 0;
  const place = at + P.turns + ((number - 1) % SUMMARY_TURNS_MAX) * TURN_NUMBERS;
  const bytes = bytesOf(turn);
  for (let i = 0; i < TURN_NUMBERS; i += 1)
    state[place + i] = bytes.readUIntLE(i * FEATURES_A_NUMBER, FEATURES_A_NUMBER);
  keepText(turn, number, state, at + TEXTS);
}

function bytesOf(turn: SummaryTurn): Buffer {
  const { score, compound, negative, positive, escalation, dissatisfied, words, silenceMs, speaker } = turn;
  const values = [
    ...[score, compound, negative, positive, escalation, dissatisfied],
    ...[speaker === 'customer' ? 1 : 0, speaker === 'agent' ? 1 : 0],
    ...[Math.log1p(silenceMs / 1_000) / 5, Math.log1p(words) / 4, turn.text.includes('?') ? 1 : 0, turn.isHeld ? 1 : 0],
  ];
  return Buffer.from(
    values.map((value, i) =>
      i < SIGNED
        ? 128 + Math.round(127 * Math.max(-1, Math.min(1, value)))
        : Math.round(255 * Math.max(0, Math.min(1, value))),
    ),
  );
}

/** The newest text stands first; the one that it takes the place of stays where it outranks another. */
function keepText(turn: SummaryTurn, number: number, state: Float64Array, at: number): void {
  const { score, words, speaker, text } = turn;
  if (state[at + T.turn] > 0) demote(state, at);
  const isCustomer = speaker === 'customer';
  const isRequest = isCustomer && words >= REQUEST_WORDS_MIN && !hasRequest(state, at);
  state[at + T.turn] = number;
  state[at + T.rank] = isRequest ? REQUEST_RANK : Math.abs(score) * Math.min(1, words / 4) + (isCustomer ? 0.25 : 0);
  state[at + T.customer] = isCustomer ? 1 : 0;
  writeText(state, at + T.text, TEXT_NUMBERS, shortened(text));
}

function hasRequest(state: Float64Array, at: number): boolean {
  for (let i = 0; i < TEXTS_MAX; i += 1) if (state[at + i * TEXT_PLACES + T.rank] === REQUEST_RANK) return true;
  return false;
}

function demote(state: Float64Array, at: number): void {
  let lowest = 1;
  const rank = (i: number): number => (state[at + i * TEXT_PLACES] === 0 ? -1 : state[at + i * TEXT_PLACES + T.rank]);
  for (let i = 2; i < TEXTS_MAX; i += 1) if (rank(i) < rank(lowest)) lowest = i;
  if (rank(0) > rank(lowest)) state.copyWithin(at + lowest * TEXT_PLACES, at, at + TEXT_PLACES);
}

/** Whole words, at most as many bytes as there is room for. */
function shortened(text: string): string {
  const plain = text.replace(/\s+/g, ' ').trim().replaceAll('\0', '');
  if (Buffer.byteLength(plain) <= TEXT_BYTES_MAX) return plain;
  const bytes = Buffer.alloc(TEXT_BYTES_MAX - 3);
  const cut = bytes.toString('utf8', 0, bytes.write(plain, 'utf8'));
  const end = cut.lastIndexOf(' ');
  return `${end > cut.length / 2 ? cut.slice(0, end) : cut}…`;
}

export interface SummaryText {
  /** Number of the turn in the call, from 1. */
  readonly turn: number;
  readonly isCustomer: boolean;
  readonly isRequest: boolean;
  readonly text: string;
}

/** What a call kept of itself. */
export interface NotedCall {
  /** Turns that were noted, and the number of the first one that `inputs` has. */
  readonly noted: number;
  readonly first: number;
  readonly turnsRead: number;
  /** [turnsRead][SUMMARY_INPUTS], as the network reads them. */
  readonly inputs: Float32Array;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly lastNs: number;
  readonly lastOffset: number;
  readonly categories: number;
  /** In the call's order. */
  readonly texts: readonly SummaryText[];
}

export function readNoted(state: Float64Array, at: number): NotedCall {
  const noted = state[at + P.noted];
  const turnsRead = Math.min(noted, SUMMARY_TURNS_MAX);
  const first = noted - turnsRead + 1;
  const inputs = new Float32Array(turnsRead * SUMMARY_INPUTS);
  const bytes = Buffer.alloc(SUMMARY_INPUTS);
  for (let t = 0; t < turnsRead; t += 1) {
    const place = at + P.turns + ((first - 1 + t) % SUMMARY_TURNS_MAX) * TURN_NUMBERS;
    for (let i = 0; i < TURN_NUMBERS; i += 1)
      bytes.writeUIntLE(state[place + i], i * FEATURES_A_NUMBER, FEATURES_A_NUMBER);
    for (let i = 0; i < SUMMARY_INPUTS; i += 1)
      inputs[t * SUMMARY_INPUTS + i] = i < SIGNED ? (bytes[i] - 128) / 127 : bytes[i] / 255;
  }
  return {
    ...{ noted, first, turnsRead, inputs, firstMs: state[at + P.firstMs], lastMs: state[at + P.lastMs] },
    ...{ lastNs: state[at + P.lastNs], lastOffset: state[at + P.lastOffset], categories: state[at + P.categories] },
    texts: textsOf(state, at + TEXTS),
  };
}

function textsOf(state: Float64Array, at: number): SummaryText[] {
  const texts: SummaryText[] = [];
  for (let i = 0; i < TEXTS_MAX; i += 1) {
    const place = at + i * TEXT_PLACES;
    if (state[place + T.turn] === 0) continue;
    texts.push({
      turn: state[place + T.turn],
      isCustomer: state[place + T.customer] === 1,
      isRequest: state[place + T.rank] === REQUEST_RANK,
      text: readText(state, place + T.text, TEXT_NUMBERS),
    });
  }
  return texts.sort((a, b) => a.turn - b.turn);
}
