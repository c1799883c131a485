import { InvalidArgumentError } from '@commander-js/extra-typings';
import { SINGLE_KINDS, type SingleKind } from '@tideline/nn/kinds';
import { wholeNumber } from './option-values.ts';

const WIDTH_MAX = 65_536;
const SIZE_MAX = 8_192;
const BUDGET_MAX_MS = 600_000;

/** Rows a batch, separated by commas. */
export function widthsOf(text: string): number[] {
  return [...new Set(text.split(',').map((part) => widthOf(part)))].sort((a, b) => a - b);
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

export const sizeOf = wholeNumber(1, SIZE_MAX);
export const millisecondsOf = wholeNumber(1, BUDGET_MAX_MS);
const widthOf = wholeNumber(1, WIDTH_MAX);
