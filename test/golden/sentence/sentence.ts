/** The sentence encoder of the tests: a small BERT in the layout of a sentence transformer (`make.py`). */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'golden', 'sentence');

/** With onnx/model.onnx and tokenizer.json. */
export const SENTENCE_ENCODER = join(FOLDER, 'encoder');

export interface ExpectedSentence {
  readonly text: string;
  /** Tokens by Hugging Face's own tokenizer. */
  readonly ids: readonly number[];
  /** By PyTorch, [32]; of MiniLM by ONNX's reference evaluator, [384]. */
  readonly values: readonly number[];
}

export function expectedSentences(file: 'expected.json' | 'minilm.json' = 'expected.json'): readonly ExpectedSentence[] {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as readonly ExpectedSentence[];
}

/** The real all-MiniLM-L6-v2, which `npm test` fetches. Throws Error with the cure where it is not there. */
export function minilmFolder(): string {
  const folder = join(FOLDER, '..', '..', '..', '.cache', 'all-MiniLM-L6-v2');
  if (!existsSync(folder)) throw new Error(`'${folder}' is missing: npm run setup:onnx -- --minilm`);
  return folder;
}
