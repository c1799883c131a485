/** Dialogues as a call model's training reads them, with a network for the words of a turn where one is asked for. */
import type { ModelSpec, ModelWeights } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { type CallNetwork, callSpec, type DialogueRows, type Question, readDialogues } from './call-model.ts';
import type { Dialogue } from './dialogue.ts';
import { type EncoderTraining, trainWordEncoder } from './word-encoder.ts';

/** What reads the words of a turn beside pooled vectors and n-grams: nothing, or an LSTM over the words (libs/streams/src/text/word-encoder.ts). */
export const TEXT_ENCODERS = ['none', 'word-lstm'] as const;
export type TextEncoderKind = (typeof TEXT_ENCODERS)[number];

/** Throws ConfigError where somebody asks for an encoder of what has no texts. */
export function assertNoTextEncoder(kind: TextEncoderKind | undefined, what: string): void {
  if (kind !== undefined && kind !== 'none')
    throw new ConfigError([`--text-encoder is '${kind}', but ${what} reads no texts: leave it out.`]);
}

/** What a training of a call model needs of its dialogues. */
export interface ReadyDialogues {
  readonly spec: ModelSpec;
  /** Weights of the text encoder; undefined: the model has none. */
  readonly encoder: ModelWeights | undefined;
  read(dialogues: readonly Dialogue[]): DialogueRows[];
}

/** Makes dialogues ready, once for each training: a text encoder learns from its training part alone. */
export type DialogueReader = (training: Omit<EncoderTraining, 'questions'>) => Promise<ReadyDialogues>;

export function createDialogueReader(
  task: { readonly name: string; readonly network: CallNetwork; readonly questions: readonly Question[] },
  kind: TextEncoderKind,
): DialogueReader {
  const { name, network, questions } = task;
  if (kind === 'none') {
    const spec = callSpec(name, network, questions);
    // Without an encoder every training reads the same.
    const known = new Map<Dialogue, DialogueRows>();
    const read = (dialogues: readonly Dialogue[]): DialogueRows[] => {
      for (const rows of readDialogues(
        spec,
        dialogues.filter((dialogue) => !known.has(dialogue)),
      ))
        known.set(rows.dialogue, rows);
      return dialogues.map((dialogue) => known.get(dialogue) as DialogueRows);
    };
    return async () => ({ spec, encoder: undefined, read });
  }
  return async (training) => {
    const { spec: textEncoder, weights: encoder } = await trainWordEncoder({ ...training, questions });
    const spec = callSpec(name, network, questions, textEncoder);
    return { spec, encoder, read: (dialogues) => readDialogues(spec, dialogues, encoder) };
  };
}
