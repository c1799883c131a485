/** Takes names of persons out of texts: what the rules tell, and what the tagger finds beyond them. */
import { isPlainWord, mayBeName, ruledNames } from './name-rules.ts';
import { type NameTagger, shippedNameTagger } from './name-tagger.ts';
import { type Token, tokensOf } from './name-tokens.ts';
import { PLACEHOLDERS } from './patterns.ts';

/** From this probability on a word is taken for a name. The best F2 on validation sentences: a name that stays costs more than a word that goes. */
export const NAME_PROBABILITY_MIN = 0.2;

/** The same of a word that means something else and stands in lower case: "will you mark my words". */
const WORD_PROBABILITY_MIN = 0.9;

/**
 * The text with a placeholder for each name of a person. What it returns it returns unchanged: around a placeholder the tagger may see a name that it did not
 * see before, so it reads again until it finds none. `tagger` null: the rules alone.
 */
export function redactNames(text: string, tagger: NameTagger | null = shippedNameTagger()): string {
  let kept = text;
  for (;;) {
    const tokens = tokensOf(kept);
    if (tokens.length === 0) return kept;
    const names = namesIn(kept, tokens, tagger);
    if (!names.includes(1)) return kept;
    kept = withPlaceholders(kept, tokens, names);
  }
}

/** For each token whether it is of a person's name. */
export function namesIn(text: string, tokens: readonly Token[], tagger: NameTagger | null): Uint8Array {
  const names = ruledNames(text, tokens);
  if (tagger === null) return names;
  tagger(text, tokens).forEach((probability, i) => {
    const least = isPlainWord(tokens[i]) ? WORD_PROBABILITY_MIN : NAME_PROBABILITY_MIN;
    if (probability >= least && mayBeName(tokens[i])) names[i] = 1;
  });
  return names;
}

function withPlaceholders(text: string, tokens: readonly Token[], names: Uint8Array): string {
  let kept = '';
  let from = 0;
  for (let i = 0; i < tokens.length; i += 1) {
    if (names[i] === 0) continue;
    let last = i;
    while (last + 1 < tokens.length && names[last + 1] === 1 && isOneName(text, tokens, last)) last += 1;
    kept += text.slice(from, tokens[i].from) + PLACEHOLDERS.name;
    // The possessive stays: it is grammar.
    from = tokens[last].to;
    i = last;
  }
  return kept + text.slice(from);
}

/** Whether token i and the next one are parts of one name. */
function isOneName(text: string, tokens: readonly Token[], i: number): boolean {
  return !tokens[i + 1].isFirst && /^[ .]{1,2}$/.test(text.slice(tokens[i].to, tokens[i + 1].from));
}
