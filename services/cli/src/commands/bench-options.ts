import { InvalidArgumentError } from '@commander-js/extra-typings';
import { SINGLE_KINDS, type SingleKind } from '@tideline/nn/kinds';

const WIDTH_MAX = 65_536;
const SIZE_MAX = 8_192;
const BUDGET_MAX_MS = 600_000;

/** Rows a batch, separated by commas. */
export function widthsOf(text: string): number[] {
  return [...new Set(text.split(',').map((part) => wholeNumber(part, WIDTH_MAX)))].sort((a, b) => a - b);
}

/** Kinds of engines, separated by commas. */
export function singleKindsOf(text: string): SingleKind[] {
  return text.split(',').map((part) => {
    const kind = SINGLE_KINDS.find((one) => one === part.trim());
    if (kind === undefined)
      throw new InvalidArgumentError(`'${part}' is no engine that can be measured: ${SINGLE_KINDS.join(', ')}.`);
    return kind;
  });
}

export function sizeOf(text: string): number {
  return wholeNumber(text, SIZE_MAX);
}

export function millisecondsOf(text: string): number {
  return wholeNumber(text, BUDGET_MAX_MS);
}

function wholeNumber(text: string, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 1 || value > most)
    throw new InvalidArgumentError(`'${text}' must be a whole number from 1 to ${most}.`);
  return value;
}
