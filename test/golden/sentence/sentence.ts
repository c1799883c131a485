/** The sentence encoder of the tests: a small BERT in the layout of a sentence transformer (`make.py`). */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'golden', 'sentence');

/** With onnx/model.onnx and tokenizer.json. */
export const SENTENCE_ENCODER = join(FOLDER, 'encoder');

export interface ExpectedSentence {
  readonly text: string;
  /** Tokens by Hugging Face's own tokenizer. */
  readonly ids: readonly number[];
  /** By PyTorch, [32]. */
  readonly values: readonly number[];
}

export function expectedSentences(): readonly ExpectedSentence[] {
  return JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as readonly ExpectedSentence[];
}
