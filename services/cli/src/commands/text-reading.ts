import { createOnnxSentenceEncoder } from '@tideline/adapters';
import type { TextEncoderKind, TextReading } from '@tideline/trainer';

/** What reads texts, as the options of a command name it. */
export interface TextOptions {
  readonly textEncoder: TextEncoderKind;
  /** Folder of a sentence transformer in ONNX. */
  readonly sentenceEncoder?: string | undefined;
}

/** A training reads its texts many times: 150 MiB of 384 values each. */
const TEXTS_MAX = 100_000;

/** Loads the encoder that the options name. Throws ConfigError where it cannot. */
export async function textReadingOf({ textEncoder, sentenceEncoder: folder }: TextOptions): Promise<TextReading> {
  if (folder === undefined) return { textEncoder };
  return { textEncoder, sentenceEncoder: await createOnnxSentenceEncoder({ folder, textsMax: TEXTS_MAX }) };
}
