import type { SourceRecord } from '@tideline/streams';

/** What is changed of a recorded call. Turns count from 1, as they were said. */
export interface CallEdits {
  /** Turns that were never said. */
  readonly without: readonly number[];
  /** The call ends behind this turn; null: where it did. */
  readonly until: number | null;
  /** Other words, by turn. */
  readonly replace: ReadonlyMap<number, string>;
}

/** A record and the turn of the recorded call that it is; null: it is none. */
export interface CallRecord extends SourceRecord {
  readonly turn: number | null;
}

/** Numbers the final utterances. */
export function numberTurns(records: readonly SourceRecord[]): CallRecord[] {
  let turns = 0;
  return records.map((record) => {
    const { type, final } = JSON.parse(record.value) as { readonly type?: string; readonly final?: boolean };
    const isTurn = type === 'utterance' && final !== false;
    if (isTurn) turns += 1;
    return { ...record, turn: isTurn ? turns : null };
  });
}

/** The call as it would have been. Throws RangeError that names a turn which is not there. */
export function editCall(records: readonly CallRecord[], { without, until, replace }: CallEdits): CallRecord[] {
  const turns = records.filter(({ turn }) => turn !== null).length;
  for (const turn of [...without, ...replace.keys(), ...(until === null ? [] : [until])])
    if (!(Number.isInteger(turn) && turn >= 1 && turn <= turns))
      throw new RangeError(`Turn ${turn} is not in the call, which has the turns 1 to ${turns}.`);
  const last = until === null ? records.length : records.findIndex(({ turn }) => turn === until) + 1;
  const kept = records.slice(0, last).filter(({ turn }) => turn === null || !without.includes(turn));
  const changed = kept.map((record) => {
    const text = record.turn === null ? undefined : replace.get(record.turn);
    return text === undefined ? record : { ...record, value: withField(record.value, 'text', text) };
  });
  if (last === records.length || changed.length === 0) return changed;
  const { topic, key, timestampMs } = records[last - 1];
  // Cut short, it is over there: the summary is that of the shorter call.
  const ended = JSON.stringify({ callId: key, ts: timestampMs, type: 'ended' });
  return [...changed, { topic, key, timestampMs, value: ended, turn: null }];
}

function withField(value: string, name: string, text: string): string {
  return JSON.stringify({ ...(JSON.parse(value) as Record<string, unknown>), [name]: text });
}
