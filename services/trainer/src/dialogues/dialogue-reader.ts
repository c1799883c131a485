/** Dialogues as a call model's training reads them, with a network for the words of a turn and a sentence encoder where they are asked for. */
import type { Model, ModelSpec, ModelWeights, SentenceEncoderSpec } from '@tideline/nn';
import { ConfigError, type Stream } from '@tideline/pipeline';
import { createCallStream, type SentenceEncoder } from '@tideline/streams';
import { type CallNetwork, callSpec, type DialogueRows, type Question, readDialogues } from './call-model.ts';
import type { Dialogue } from './dialogue.ts';
import { type EncoderTraining, trainWordEncoder } from './word-encoder.ts';

/** What reads the words of a turn beside pooled vectors and n-grams: nothing, or an LSTM over the words (libs/streams/src/text/word-encoder.ts). */
export const TEXT_ENCODERS = ['none', 'word-lstm'] as const;
export type TextEncoderKind = (typeof TEXT_ENCODERS)[number];

/** What reads a turn's text beside pooled vectors and n-grams. */
export interface TextReading {
  /** Trained with the model; none unless said. */
  readonly textEncoder?: TextEncoderKind;
  /** One that is there already (libs/streams/src/text/sentence-encoder.ts); none unless said. */
  readonly sentenceEncoder?: SentenceEncoder;
}

/** The call stream by which a trained model speaks. Its texts were redacted when they were read, or are those that people labelled. */
export function trainedStream(model: Model, { sentenceEncoder }: TextReading): Stream {
  const read = sentenceEncoder === undefined ? {} : { sentenceEncoder };
  return createCallStream({ modelName: model.spec.name, model, redact: false, ...read });
}

/** How a report's settings tell of them. */
export function encodersOf({ textEncoder = 'none', sentenceEncoder }: TextReading): {
  readonly textEncoder: TextEncoderKind;
  readonly sentenceEncoder: SentenceEncoderSpec | 'none';
} {
  const { size, digest } = sentenceEncoder ?? { size: 0, digest: '' };
  return { textEncoder, sentenceEncoder: sentenceEncoder === undefined ? 'none' : { size, digest } };
}

/** Throws ConfigError where somebody asks for an encoder of what has no texts. `sentenceEncoder`: itself or its folder. */
export function assertNoEncoders(
  {
    textEncoder = 'none',
    sentenceEncoder,
  }: { readonly textEncoder?: TextEncoderKind; readonly sentenceEncoder?: unknown },
  what: string,
): void {
  const asked = [
    ...(textEncoder === 'none' ? [] : [`--text-encoder is '${textEncoder}'`]),
    ...(sentenceEncoder === undefined ? [] : ['--sentence-encoder names one']),
  ];
  if (asked.length > 0) throw new ConfigError(asked.map((one) => `${one}, but ${what} reads no texts: leave it out.`));
}

/** What a training of a call model needs of its dialogues. */
export interface ReadyDialogues {
  readonly spec: ModelSpec;
  /** Weights of the text encoder; undefined: the model has none. */
  readonly encoder: ModelWeights | undefined;
  read(dialogues: readonly Dialogue[]): Promise<DialogueRows[]>;
}

/** Makes dialogues ready, once for each training: a text encoder learns from its training part alone. */
export type DialogueReader = (training: Omit<EncoderTraining, 'questions'>) => Promise<ReadyDialogues>;

export function createDialogueReader(
  task: { readonly name: string; readonly network: CallNetwork; readonly questions: readonly Question[] },
  { textEncoder = 'none', sentenceEncoder }: TextReading,
): DialogueReader {
  const { name, network, questions } = task;
  const sentence = sentenceEncoder ?? null;
  if (textEncoder === 'none') {
    const spec = callSpec(name, network, questions, { sentence });
    // Without a trained encoder every training reads the same.
    const known = new Map<Dialogue, DialogueRows>();
    const read = async (dialogues: readonly Dialogue[]): Promise<DialogueRows[]> => {
      const unknown = dialogues.filter((dialogue) => !known.has(dialogue));
      for (const rows of await readDialogues(spec, unknown, { sentence })) known.set(rows.dialogue, rows);
      return dialogues.map((dialogue) => known.get(dialogue) as DialogueRows);
    };
    return async () => ({ spec, encoder: undefined, read });
  }
  return async (training) => {
    const { spec: text, weights: encoder } = await trainWordEncoder({ ...training, questions });
    const spec = callSpec(name, network, questions, { text, sentence });
    return { spec, encoder, read: (dialogues) => readDialogues(spec, dialogues, { text: encoder, sentence }) };
  };
}
