/** Measurement `call_summary`: one point a call, written when the call is over (docs/decisions/0012-call-summary.md). */
import type { Model } from '@tideline/nn';
import { escapeTag, pointTime, type SequenceEnd, type Shard, stringField } from '@tideline/pipeline';
import { CALL_CLASSES, type CallProbabilities } from './outputs.ts';
import { type CallRules, createWordFinder } from './rules.ts';
import { type CallEndReader, createCallEndReader, type ReadCall } from './summary-model.ts';
import { type NotedCall, noteTurn, readNoted, type SummaryText, type SummaryTurn } from './summary-state.ts';

/** Turns that a point names as decisive, and lines of text that it holds, at most. */
const DECISIVE_MAX = 3;
const LINES_MAX = 4;
const NS_A_MS = 1_000_000n;

/** A turn as the stream knows it. */
export interface SaidTurn extends Omit<SummaryTurn, 'words' | 'categories' | keyof Shares> {
  readonly said: CallProbabilities;
}
type Shares = Pick<SummaryTurn, 'negative' | 'positive' | 'escalation' | 'dissatisfied'>;

export interface CallSummary {
  /** Takes a turn into the part of the call's state at `at`, [SUMMARY_STATE_SIZE]. */
  note(turn: SaidTurn, state: Float64Array, at: number): void;
  /** The point of a call that is over, and the probability in it of a rating below 3; null where nobody spoke. */
  close(call: EndedCall): { readonly line: string; readonly dissatisfied: number } | null;
}

export interface EndedCall {
  readonly shard: Shard;
  readonly end: SequenceEnd;
  /** Where its part of the output state stands. */
  readonly at: number;
  /** Final utterances of the call. */
  readonly turns: number;
  /** Tags, escaped. */
  readonly queue: string;
  readonly agent: string;
}

/** Throws ConfigError where the model does not read ends of calls. */
export function createCallSummary(model: Model, { categories }: Pick<CallRules, 'categories'>): CallSummary {
  const read: CallEndReader = createCallEndReader(model);
  const name = escapeTag(model.spec.name);
  const finders = categories.map(({ words }) => createWordFinder(words));
  return {
    note(turn, state, at) {
      const { said, ...rest } = turn;
      const words = turn.text.match(/[\p{L}\p{N}']+/gu)?.length ?? 0;
      const bits = finders.reduce((sum, find, i) => (find(turn.text) === null ? sum : sum + 2 ** i), 0);
      noteTurn({ ...rest, ...sharesOf(said, turn.compound), words, categories: bits }, state, at);
    },
    close(call) {
      const noted = readNoted(call.end.state, call.at);
      if (noted.noted === 0) return null;
      const names = categories.filter((_, i) => (noted.categories & (1 << i)) !== 0).map((one) => one.name);
      const found = { noted, read: read(noted.inputs), model: name, categories: names };
      return { line: summaryLine(call, found), dissatisfied: found.read.dissatisfied };
    },
  };
}

/** What the call's own network said; where it does not say, the lexicon's. */
function sharesOf({ sentiment, escalation, satisfaction }: CallProbabilities, compound: number): Shares {
  return {
    negative: sentiment ? sentiment[0] : Math.max(0, -compound),
    positive: sentiment ? sentiment[2] : Math.max(0, compound),
    escalation: escalation ?? 0,
    dissatisfied: satisfaction?.dissatisfied ?? 0,
  };
}

function summaryLine(
  { shard, end, turns, queue, agent }: EndedCall,
  found: {
    readonly noted: NotedCall;
    readonly read: ReadCall;
    readonly model: string;
    readonly categories: readonly string[];
  },
): string {
  const { noted, read, model, categories } = found;
  const { sentiment, score, satisfaction, dissatisfied } = read;
  const [negative, neutral, positive] = sentiment;
  const decisive = decisiveTurns(noted, read);
  const fields = [
    `categories=${stringField(categories.join(','))}`,
    `class=${stringField(CALL_CLASSES[sentiment.indexOf(Math.max(...sentiment))])}`,
    ...decisive.flatMap(({ turn, effect }, i) => [`decisive_${i + 1}=${turn}i`, `effect_${i + 1}=${effect}`]),
    `dissatisfied=${dissatisfied},duration_ms=${Math.max(0, endMs(end, noted) - noted.firstMs)}i,ended_by=${stringField(end.cause)}`,
    ...linesOf(noted, decisive).map((line, i) => `line_${i + 1}=${stringField(line)}`),
    `negative=${negative},neutral=${neutral},offset=${end.by ? end.by.chunk.offsets[end.by.row] : noted.lastOffset}i`,
    `partition=${shard.partition}i,positive=${positive},satisfaction=${satisfaction},score=${score}`,
    `turns=${turns}i,turns_read=${noted.turnsRead}i`,
  ];
  const tags = `agent=${agent},model=${model},queue=${queue},series=${escapeTag(end.key)},stream=calls`;
  return `call_summary,${tags} ${fields.join(',')} ${timeOf(end, noted)}`;
}

/** The event time of `ended`; a call that only fell silent, or was begun anew, ends with its last turn: its point is a function of its state alone. */
function endMs({ by }: SequenceEnd, { lastMs }: NotedCall): number {
  return by ? by.chunk.timeMs[by.row] : lastMs;
}

function timeOf({ by }: SequenceEnd, { lastMs, lastNs }: NotedCall): string {
  return by ? pointTime(by.chunk, by.row) : String(BigInt(lastMs) * NS_A_MS + BigInt(lastNs));
}

interface Decisive {
  /** Number in the call, from 1. */
  readonly turn: number;
  readonly effect: number;
}

/** Those without which the score would be most other, the greatest first; the earlier one of two equals. */
function decisiveTurns({ first }: NotedCall, { effects }: ReadCall): Decisive[] {
  return effects
    .map((effect, i) => ({ turn: first + i, effect }))
    .filter(({ effect }) => effect !== 0)
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect) || a.turn - b.turn)
    .slice(0, DECISIVE_MAX);
}

/** The customer's request, the decisive turns, the last words, then what had most feeling: as far as their texts were kept, in the call's order. */
function linesOf({ texts, noted }: NotedCall, decisive: readonly Decisive[]): string[] {
  const weight = ({ turn, isRequest }: SummaryText): number => {
    const place = decisive.findIndex((one) => one.turn === turn);
    if (isRequest) return 3;
    if (place !== -1) return 2 - place / DECISIVE_MAX;
    return turn === noted ? 1 : 0;
  };
  return [...texts]
    .filter(({ text }) => text !== '')
    .sort((a, b) => weight(b) - weight(a) || b.turn - a.turn)
    .slice(0, LINES_MAX)
    .sort((a, b) => a.turn - b.turn)
    .map(({ turn, isCustomer, text }) => `${turn} ${isCustomer ? 'customer' : 'agent'}: ${text}`);
}
