/** The dialogues of MELD (S. Poria et al., ACL 2019) as its CSV files have them. */
import { readRecordFile } from '@tideline/adapters';
import { CALL_CLASSES } from '@tideline/streams';
import type { Dialogue } from '../dialogues/dialogue.ts';

export const EMOTIONS = ['neutral', 'joy', 'surprise', 'anger', 'sadness', 'disgust', 'fear'] as const;

export interface SpokenDialogue extends Dialogue {
  /** Of each turn: index in CALL_CLASSES and in EMOTIONS. */
  readonly sentiment: readonly number[];
  readonly emotion: readonly number[];
}

/** Turns in the opposite order, as the second direction reads them. */
export function reversed(dialogue: SpokenDialogue): SpokenDialogue {
  return {
    ...dialogue,
    ...{ turns: [...dialogue.turns].reverse(), sentiment: [...dialogue.sentiment].reverse() },
    emotion: [...dialogue.emotion].reverse(),
  };
}

type MeldRow = Readonly<Record<'Utterance' | 'Speaker' | 'Emotion' | 'Sentiment' | 'StartTime' | 'EndTime', string>> &
  Readonly<Record<'Dialogue_ID' | 'Utterance_ID', number | string>>;

/** Utterances in the order of Utterance_ID. `part`: before each dialogue's id, since the parts count anew. */
export async function readSpoken(path: string, part: string): Promise<SpokenDialogue[]> {
  const byId = new Map<string, MeldRow[]>();
  for await (const { key, value } of readRecordFile({ path, topic: 'calls', keyField: 'Dialogue_ID', map: {} }))
    byId.set(key, [...(byId.get(key) ?? []), JSON.parse(value) as MeldRow]);
  return [...byId].map(([id, rows]) => {
    rows.sort((a, b) => Number(a.Utterance_ID) - Number(b.Utterance_ID));
    return {
      id: `${part}-${id}`,
      turns: rows.map((row) => ({
        ...{ speaker: String(row.Speaker), text: String(row.Utterance ?? '') },
        ...{ startMs: clockMs(row.StartTime), endMs: clockMs(row.EndTime) },
      })),
      sentiment: rows.map((row) => CALL_CLASSES.indexOf(row.Sentiment as (typeof CALL_CLASSES)[number])),
      emotion: rows.map((row) => EMOTIONS.indexOf(row.Emotion as (typeof EMOTIONS)[number])),
    };
  });
}

/** `00:16:41,126` in milliseconds. */
function clockMs(clock: string): number {
  const [hours, minutes, seconds] = clock.replace(',', '.').split(':').map(Number);
  return Math.round(((hours * 60 + minutes) * 60 + seconds) * 1_000);
}
