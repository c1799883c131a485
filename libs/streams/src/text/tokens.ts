/** Texts longer than this are cut: a turn of a call is short, and a record must cost what its neighbours cost. UTF-16 units. */
export const CHARACTERS_MAX = 2_000;

const APOSTROPHE = 0x27;
/** Typographic apostrophes, and byte 0x92 of Windows-1252 read as Latin-1, which real transcripts hold. */
export const TYPOGRAPHIC_APOSTROPHES = /[\u2019\u2018\u02bc\u0092]/gu;
const APOSTROPHES: readonly number[] = [0x2019, 0x2018, 0x02bc, 0x92];
const ZERO = '0';

const OTHER = 0;
const SPACE = 1;
const LETTER = 2;
const DIGIT = 3;
/** A letter of a script that is written without spaces: a token of its own. */
const SYLLABLE = 4;

const ASCII_CLASSES = Uint8Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  if (unit <= 0x20 || unit === 0x7f) return SPACE;
  if (/[a-z]/i.test(character)) return LETTER;
  return /\d/.test(character) ? DIGIT : OTHER;
});

/**
 * The tokens of a text: words in lower case, and each other character that is no space for itself (punctuation, emoji, signs). It knows every
 * script of Unicode and takes any string, also one with halves of surrogate pairs:
 * - a word is a run of letters, marks and digits with single apostrophes inside; English clitics are cut off it (`don't`: `do`, `n't`);
 * - every digit is written `0`: the shape of a number counts, its value does not (and no card number gets into a feature);
 * - Chinese, Japanese, Thai, Lao, Khmer, Burmese and Tibetan letters are tokens one by one; pairs of them are the bigrams.
 */
export function tokensOf(text: string): string[] {
  const lower = text.slice(0, CHARACTERS_MAX).toLowerCase();
  const tokens: string[] = [];
  let word = '';
  let at = 0;
  while (at < lower.length) {
    const point = lower.codePointAt(at) as number;
    const length = point > 0xffff ? 2 : 1;
    const kind = classOf(point);
    if (kind === LETTER) word += length === 1 ? lower[at] : lower.slice(at, at + 2);
    else if (kind === DIGIT) word += ZERO;
    else if (isApostrophe(point) && word !== '' && isWordAt(lower, at + 1)) word += "'";
    else {
      if (word !== '') pushWord(tokens, word);
      word = '';
      if (kind !== SPACE) tokens.push(lower.slice(at, at + length));
    }
    at += length;
  }
  if (word !== '') pushWord(tokens, word);
  return tokens;
}

/** Whether a token is a word: it starts with a letter or a digit. */
export function isWord(token: string): boolean {
  const kind = classOf(token.codePointAt(0) ?? 0);
  return kind >= LETTER;
}

function isWordAt(text: string, at: number): boolean {
  const kind = at < text.length ? classOf(text.codePointAt(at) as number) : SPACE;
  return kind === LETTER || kind === DIGIT;
}

function isApostrophe(point: number): boolean {
  return point === APOSTROPHE || APOSTROPHES.includes(point);
}

/** Endings that English writes with an apostrophe: words of their own in the word vectors. */
const CLITICS: readonly string[] = ["n't", "'s", "'re", "'ve", "'ll", "'d", "'m"];

function pushWord(tokens: string[], word: string): void {
  const clitic = word.includes("'")
    ? CLITICS.find((ending) => word.length > ending.length && word.endsWith(ending))
    : undefined;
  if (clitic === undefined) tokens.push(word);
  else tokens.push(word.slice(0, -clitic.length), clitic);
}

const LETTERS = /[\p{L}\p{M}]/u;
const DIGITS = /\p{N}/u;
const SPACES = /[\s\p{C}\p{Z}]/u;
const SYLLABLES = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tibt}]/u;

function classOf(point: number): number {
  if (point < 128) return ASCII_CLASSES[point];
  if (point >= 0xd800 && point <= 0xdfff) return SPACE;
  const character = String.fromCodePoint(point);
  if (SYLLABLES.test(character) && LETTERS.test(character)) return SYLLABLE;
  if (LETTERS.test(character)) return LETTER;
  if (DIGITS.test(character)) return DIGIT;
  return SPACES.test(character) ? SPACE : OTHER;
}
