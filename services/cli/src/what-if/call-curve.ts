import { lineFields, lineTags, splitLine } from '@tideline/pipeline';
import { parseAlert } from '@tideline/streams';
import type { CallRecord } from './edit-call.ts';

/** What the pipeline says at one turn. */
export interface CurveTurn {
  /** Number in the recorded call. */
  readonly turn: number;
  readonly timeMs: number;
  readonly speaker: string;
  /** Redacted. */
  readonly text: string;
  /** The numbers of the `sentiment` point: score, escalation, and what else the model answers. */
  readonly figures: Readonly<Record<string, number>>;
  readonly alerts: readonly string[];
}

export interface CallCurve {
  readonly turns: readonly CurveTurn[];
  /** Fields of `call_summary`; null where the call is not over. */
  readonly summary: Readonly<Record<string, string | number>> | null;
}

const NOT_FIGURES = new Set(['offset', 'partition']);

/** The curve of a call from the points that its records made; a point's `offset` is the place of its record. */
export function curveOf(records: readonly CallRecord[], lines: readonly string[]): CallCurve {
  const turns = new Map<number, { -readonly [K in keyof CurveTurn]: CurveTurn[K] }>();
  let summary: CallCurve['summary'] = null;
  for (const line of lines) {
    const { head, fields } = splitLine(line);
    const [measurement] = head.split(',', 1);
    const values = valuesOf(fields);
    const record = records[Number(values.offset)];
    const turn = record?.turn ?? null;
    if (measurement === 'call_summary') summary = values;
    if (turn === null) continue;
    const entry = turns.get(turn) ?? {
      ...{ turn, timeMs: record.timestampMs, speaker: '', text: '', figures: {}, alerts: [] },
    };
    turns.set(turn, entry);
    if (measurement === 'sentiment') {
      entry.speaker = lineTags(head).get('speaker') ?? '';
      const figures = Object.entries(values).filter(([name, value]) => !NOT_FIGURES.has(name) && isNumber(value));
      entry.figures = Object.fromEntries(figures) as Record<string, number>;
    }
    if (measurement === 'turn') entry.text = String(values.text ?? '');
    if (measurement === 'alert') entry.alerts = [...entry.alerts, parseAlert(line)?.rule ?? ''];
  }
  return { turns: [...turns.values()].sort((a, b) => a.turn - b.turn), summary };
}

/** Numbers and texts of the fields of a line. */
function valuesOf(fields: string): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, value] of lineFields(fields))
    values[name] = value.startsWith('"')
      ? value.slice(1, -1).replace(/\\(["\\])/g, '$1')
      : Number(value.replace(/i$/, ''));
  return values;
}

function isNumber(value: string | number): boolean {
  return typeof value === 'number';
}
