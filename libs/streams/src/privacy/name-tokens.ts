/** A word of a text with what its letters and its place say, or a placeholder. */
export interface Token {
  readonly word: string;
  /** Lower case, without and with a possessive. */
  readonly lower: string;
  readonly full: string;
  readonly from: number;
  readonly to: number;
  readonly isCapitalised: boolean;
  /** A sentence begins with it: its capital says nothing. */
  readonly isFirst: boolean;
}

const TOKEN = /\[[A-Z]+\]|\p{L}[\p{L}\p{M}'’-]*/gu;
const SENTENCE_END = /[.!?:;\n]/;

/** The words and placeholders of a text; numbers and marks only stand between them. */
export function tokensOf(text: string): Token[] {
  let end = 0;
  return Array.from(text.matchAll(TOKEN), (match, i): Token => {
    const full = match[0].toLowerCase().replaceAll('’', "'");
    const isPossessive = full.endsWith("'s");
    const word = isPossessive ? match[0].slice(0, -2) : match[0];
    const from = match.index;
    const isFirst = i === 0 || (from > end + 1 && SENTENCE_END.test(text.slice(end, from)));
    end = from + match[0].length;
    const lower = isPossessive ? full.slice(0, -2) : full;
    const isCapitalised = match[0].charCodeAt(0) !== full.charCodeAt(0) && word !== word.toUpperCase();
    return { word, lower, full, from, to: from + word.length, isCapitalised, isFirst };
  });
}
