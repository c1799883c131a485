/**
 * What can be told by its form: cards (Luhn), bank accounts (IBAN, mod 97), e-mail addresses, phone and social security numbers, street addresses and
 * postcodes; written, and where people say them as words. Every repetition is bounded: the time is linear in the text.
 */
import { passesIban, passesLuhn } from './checksums.ts';

/** What stands in a text instead of what was removed. A text without anything to remove stays as it is, and so does one that was redacted before. */
export const PLACEHOLDERS = {
  card: '[CARD]',
  iban: '[IBAN]',
  email: '[EMAIL]',
  phone: '[PHONE]',
  number: '[NUMBER]',
  address: '[ADDRESS]',
  name: '[NAME]',
} as const;

const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,6}/gu;
const PART = '[\\p{L}\\p{N}]{1,40}';
const DOMAINS = 'com|net|org|edu|gov|info|biz|io|co|uk|de|fr|es|it|nl|ch|at|eu|ca|au|in';
const SPOKEN_EMAIL = new RegExp(
  `\\b${PART}(?:\\s(?:dot|underscore|dash|hyphen)\\s${PART}){0,4}\\sat\\s${PART}(?:\\sdot\\s${PART}){0,3}\\sdot\\s(?:${DOMAINS})\\b`,
  'giu',
);
const IBAN = /\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}/gi;
/** Digits with at most two signs between them, as long as a card's number or longer: an expiry date may stand behind it. */
const CARD = /(?<![\p{L}\d])\d(?:[ .-]{0,2}\d){12,30}(?!\d)/gu;
const SOCIAL_SECURITY = /(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])/g;
const PHONES = [
  // International, national with a leading 0, with the area in brackets.
  /(?<![\p{L}\d])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){6,14}(?!\d)/gu,
  /(?<![\p{L}\d.,])0(?:[ ()/-]{0,2}\d){6,14}(?![\d.,]\d)/gu,
  /\(\d{2,5}\)[ -]{0,2}\d(?:[ .-]?\d){4,9}(?!\d)/g,
  // North America, with and without the area; bare only with ten digits, or eleven from 1 on.
  /(?<![\p{L}\d-])(?:1[ .-]?)?\d{3}[ .-]\d{3}[ .-]\d{4}(?![\d-])/gu,
  /(?<![\p{L}\d-])\d{3}-\d{4}(?![\d-])/gu,
  /(?<![\p{L}\d.,-])1?[2-9]\d{9}(?![\d,-]|\.\d)/gu,
];
/** Digits that somebody says: as many as a phone number has, or more. */
const SAID_DIGIT = '(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)';
const SAID_NUMBER = new RegExp(`\\b${SAID_DIGIT}(?:[\\s,.-]{1,3}${SAID_DIGIT}){6,24}\\b`, 'gi');

const WORD = "[\\p{L}][\\p{L}'.-]{0,30}";
const CAPITALISED = "\\p{Lu}[\\p{L}'.-]{0,30}";
const UNIT = '(?:,?\\s(?:apartment|apt|suite|unit|flat|floor)\\.?\\s#?\\w{1,6})?';
const SUFFIXES = 'St|Ave|Rd|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Close|Crescent|Parkway';
const ADDRESSES = [
  new RegExp(`\\b\\d{1,5}[a-z]?\\s(?:${WORD}\\s){1,3}(?:street|avenue|boulevard|road|highway)\\b${UNIT}`, 'giu'),
  // Words that mean other things, too, and short forms: as names are written.
  new RegExp(`\\b\\d{1,5}[A-Za-z]?\\s(?:${CAPITALISED}\\s){1,3}(?:${SUFFIXES})\\b\\.?${UNIT}`, 'gu'),
  /\b\p{Lu}[\p{L}-]{1,40}(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse)\s\d{1,4}\s?[a-z]?\b/gu,
  // Postcodes: state and ZIP, the United Kingdom's, country code and number.
  /\b[A-Z]{2}\s\d{5}(?:-\d{4})?\b/g,
  /\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b/g,
];

/** The text with a placeholder for each part that a pattern tells. */
export function redactPatterns(text: string): string {
  let kept = text;
  if (kept.includes('@')) kept = kept.replace(EMAIL, PLACEHOLDERS.email);
  if (/\sdot\s/i.test(kept)) kept = kept.replace(SPOKEN_EMAIL, PLACEHOLDERS.email);
  kept = kept.replace(SAID_NUMBER, PLACEHOLDERS.number);
  if (!/\d/.test(kept)) return kept;
  kept = kept.replace(IBAN, redactIban);
  kept = kept.replace(CARD, redactCard);
  kept = kept.replace(SOCIAL_SECURITY, PLACEHOLDERS.number);
  for (const address of ADDRESSES) kept = kept.replace(address, PLACEHOLDERS.address);
  for (const phone of PHONES) kept = kept.replace(phone, PLACEHOLDERS.phone);
  return kept;
}

const IBAN_LENGTH_MIN = 15;

/** The match may reach into the words behind the number: its longest part that passes goes. */
function redactIban(match: string): string {
  for (let end = match.length; end >= IBAN_LENGTH_MIN; end -= 1) {
    if (/[ -]/.test(match[end - 1])) continue;
    const iban = match.slice(0, end).replace(/[ -]/g, '').toUpperCase();
    if (iban.length < IBAN_LENGTH_MIN) return match;
    if (passesIban(iban)) return PLACEHOLDERS.iban + match.slice(end);
  }
  return match;
}

const CARD_DIGITS = { min: 13, max: 19 } as const;

/** The longest run of whole groups of digits that has a card's length and checksum goes. */
function redactCard(match: string): string {
  const groups = [...match.matchAll(/\d+/g)];
  for (let count = groups.length; count > 0; count -= 1)
    for (let from = 0; from + count <= groups.length; from += 1) {
      const run = groups.slice(from, from + count);
      const digits = run.map(([group]) => group).join('');
      if (digits.length < CARD_DIGITS.min || digits.length > CARD_DIGITS.max || !passesLuhn(digits)) continue;
      const last = run[run.length - 1];
      return match.slice(0, run[0].index) + PLACEHOLDERS.card + match.slice(last.index + last[0].length);
    }
  return match;
}
