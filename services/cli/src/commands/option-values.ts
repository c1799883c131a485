/** Values of options: read, checked, with the sentence that a slip of the pen gets; and defaults that several commands share. */
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { MODELS_FOLDER } from '../addresses.ts';

const PORT_MAX = 65_535;

/** A reader of whole numbers from `least` to `most`. Throws InvalidArgumentError. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`must be a whole number, ${range}.`);
    return value;
  };
}

/** 0: any that is free. */
export const portNumber = wholeNumber(0, PORT_MAX);

/** Throws InvalidArgumentError where it is 0 or less, or no number. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError('must be a number above 0.');
  return value;
}

/** Where models are, or go to: those that come with Tideline, from whichever folder the command is run. */
export function modelsOption<const Flags extends string>(flags: Flags) {
  return new Option(flags, 'folder of the models').default(MODELS_FOLDER, "Tideline's own");
}

/** Of the model of calls: what it was trained with beside the words (docs/calls.md). */
export function sentenceEncoderOption() {
  return new Option(
    '--sentence-encoder <folder>',
    "a sentence transformer in ONNX that reads utterances of calls, such as all-MiniLM-L6-v2 (first: 'npm run setup:onnx -- --minilm')",
  );
}
