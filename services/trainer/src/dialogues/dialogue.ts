import type { SourceRecord } from '@tideline/streams';

/** A conversation with what people said of it, as a data set has it. */
export interface Dialogue {
  readonly id: string;
  readonly turns: readonly DialogueTurn[];
}

export interface DialogueTurn {
  readonly speaker: string;
  readonly text: string;
  /** On the dialogue's own clock; absent where the set has no times. */
  readonly startMs?: number;
  readonly endMs?: number;
  /** Event time, epoch ms; absent where the set has none. */
  readonly timeMs?: number;
}

/** A set without times is given one turn every so often; event time only orders the turns. */
const TURN_MS = 5_000;
const FIRST_MS = 1_700_000_000_000;
/** Dialogues follow one another, so that no two share a time. */
const DIALOGUE_MS = 3_600_000;

/** The events of topic `calls` that a dialogue would have made: `started`, its utterances, `ended`. Turn i is record i + 1. */
export function callRecords(dialogue: Dialogue, number: number): SourceRecord[] {
  const { id, turns } = dialogue;
  const first = FIRST_MS + number * DIALOGUE_MS;
  const isTimed = turns.every(({ timeMs }) => timeMs !== undefined);
  const record = (place: number, event: object): SourceRecord => {
    const turn = turns[Math.min(turns.length, Math.max(1, place)) - 1];
    const ts = isTimed ? Number(turn.timeMs) : first + place * TURN_MS;
    return { topic: 'calls', key: id, value: JSON.stringify({ callId: id, ts, ...event }), timestampMs: ts };
  };
  return [
    record(0, { type: 'started' }),
    ...turns.map(({ speaker, text, startMs, endMs }, i) =>
      record(i + 1, {
        ...{ type: 'utterance', turnId: String(i), speaker, text },
        ...(startMs === undefined || endMs === undefined ? {} : { startMs, endMs }),
      }),
    ),
    record(turns.length + 1, { type: 'ended' }),
  ];
}

/** Event times that `count` dialogues are given, ISO 8601. */
export function assignedTimes(count: number): { readonly from: string; readonly to: string } {
  const at = (ms: number): string => new Date(ms).toISOString();
  return { from: at(FIRST_MS), to: at(FIRST_MS + count * DIALOGUE_MS) };
}
