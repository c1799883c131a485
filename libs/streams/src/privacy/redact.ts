import { redactNames } from './names.ts';
import { PLACEHOLDERS, redactPatterns } from './patterns.ts';

/** Letters that somebody spells, as many as a short name has. */
const SPELLED = /(?<![\p{L}'])\p{L}(?:[ .-]{1,2}\p{L}(?![\p{L}'])){3,20}/gu;

/**
 * The text with a placeholder (`PLACEHOLDERS`) for each card, account, address, number and name in it. A pure function, so that every replay reads the same
 * text; what it returns it returns unchanged.
 */
export function redactText(text: string): string {
  return redactNames(redactPatterns(text).replace(SPELLED, PLACEHOLDERS.name));
}

/** The same without the tagger of names: for texts that a program wrote. */
export function redactByRules(text: string): string {
  return redactNames(redactPatterns(text).replace(SPELLED, PLACEHOLDERS.name), null);
}
