/** Calls with what people said of them: events of topic `calls` whose utterances also hold labels, in the order in which they were spoken. */
import { ConfigError } from '@tideline/pipeline';
import { CALL_CLASSES, redactText, SATISFACTION_CLASSES, type SourceRecord } from '@tideline/streams';
import type { ClassTarget } from './class-loss.ts';
import type { Dialogue, DialogueTurn } from './dialogue.ts';

export interface LabelledCall extends Dialogue {
  /** Of each turn: index in CALL_CLASSES; null: nobody said. */
  readonly sentiment: readonly (number | null)[];
  /** Of each turn; null: nobody said. */
  readonly emotion: readonly (string | null)[];
  /** Of each turn, shares of SATISFACTION_CLASSES: how satisfied the customer was with it. */
  readonly satisfaction: readonly ClassTarget[];
  /** The same of the whole call. */
  readonly whole: ClassTarget;
}

const NAMES: readonly string[] = CALL_CLASSES;

type CallRow = Readonly<Record<string, unknown>>;

/** The calls of the records, in the order of their first events; partial versions and other events than utterances are no turns. Texts are redacted. */
export function readLabelledCalls(records: readonly SourceRecord[]): LabelledCall[] {
  const byCall = new Map<string, CallRow[]>();
  for (const { key, value } of records) {
    const row = rowOf(value);
    const rows = byCall.get(key);
    if (rows) rows.push(row);
    else byCall.set(key, [row]);
  }
  const calls = [...byCall].map(([id, rows]) => labelledCall(id, rows)).filter(({ turns }) => turns.length > 0);
  if (calls.length === 0)
    throw new ConfigError([
      "There is no utterance in the data: a record needs 'callId' and 'text'; --map text=column names columns of other names.",
    ]);
  return calls;
}

function rowOf(value: string): CallRow {
  try {
    const row: unknown = JSON.parse(value);
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as CallRow;
  } catch {
    // Said below.
  }
  throw new ConfigError([`The data has a line that is no JSON object: ${JSON.stringify(value.slice(0, 60))}.`]);
}

function labelledCall(id: string, rows: readonly CallRow[]): LabelledCall {
  const spoken = rows.filter(isTurn);
  const wholes = rows.filter((row) => !isTurn(row)).map(satisfactionOf);
  return {
    id,
    turns: spoken.map(turnOf),
    sentiment: spoken.map(sentimentOf),
    emotion: spoken.map(({ emotion }) => (typeof emotion === 'string' && emotion !== '' ? emotion : null)),
    satisfaction: spoken.map(satisfactionOf),
    whole: wholes.findLast((target) => target !== null) ?? null,
  };
}

function isTurn({ type, final, text }: CallRow): boolean {
  return (type === undefined || type === 'utterance') && final !== false && text !== undefined && text !== null;
}

function turnOf({ speaker, text, startMs, endMs, ts }: CallRow): DialogueTurn {
  const timeMs = typeof ts === 'string' ? Date.parse(ts) : ts;
  return {
    ...{ speaker: String(speaker ?? ''), text: redactText(String(text)) },
    ...(typeof startMs === 'number' && typeof endMs === 'number' ? { startMs, endMs } : {}),
    ...(typeof timeMs === 'number' && Number.isFinite(timeMs) ? { timeMs } : {}),
  };
}

/** One of the three names, or a score from -1 to 1 with the lexicon's thresholds. */
function sentimentOf({ sentiment }: CallRow): number | null {
  if (sentiment === undefined || sentiment === null || sentiment === '') return null;
  if (typeof sentiment === 'number') return sentiment <= -0.05 ? 0 : sentiment >= 0.05 ? 2 : 1;
  const index = NAMES.indexOf(String(sentiment).toLowerCase());
  if (index !== -1) return index;
  throw new ConfigError([
    `A label 'sentiment' is ${JSON.stringify(sentiment)}, must be ${CALL_CLASSES.join(', ')} or a number from -1 to 1.`,
  ]);
}

/** A rating of 1 to 5, or a list of ratings by several people. */
function satisfactionOf({ satisfaction }: CallRow): ClassTarget {
  if (satisfaction === undefined || satisfaction === null || satisfaction === '') return null;
  const ratings = Array.isArray(satisfaction) ? satisfaction : [satisfaction];
  const counts = SATISFACTION_CLASSES.map(() => 0);
  for (const rating of ratings) {
    if (!Number.isInteger(rating) || rating < 1 || rating > counts.length)
      throw new ConfigError([`A label 'satisfaction' is ${JSON.stringify(rating)}, must be 1, 2, 3, 4 or 5.`]);
    counts[Number(rating) - 1] += 1 / ratings.length;
  }
  return ratings.length === 0 ? null : counts;
}
