/**
 * Names of persons, told by a lexicon and by what stands around a word: "I spoke with Rahul" has a name, "the Rahul store" has none, and after "my name is"
 * stands one that no list knows. Rules: what they find is found whatever a network learnt. What they miss the tagger may find (name-tagger.ts).
 */
import { AMBIGUOUS_NAMES, GIVEN_NAMES, SURNAMES } from './name-lexicon.ts';
import type { Token } from './name-tokens.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** After these stands a name, whether known or not. */
const INTRODUCTIONS = [
  ...[
    'my name is',
    'my name was',
    "my name's",
    'name is',
    "name's",
    'the name is',
    'i am called',
    "i'm called",
    'call me',
    'named',
    'addressed to',
  ],
  ...[
    'mr',
    'mrs',
    'dr',
    'ms',
    'miss',
    'mister',
    'missus',
    'madam',
    'herr',
    'frau',
    'monsieur',
    'madame',
    'señor',
    'señora',
  ],
  ...['first name', 'last name', 'surname', 'first name is', 'last name is', 'surname is'],
];
/** After these a name may stand: one that is known, or a capital that no sentence begins with. */
const HINTS = [
  ...[
    "i'm",
    'i am',
    'this is',
    'speaking with',
    'spoke with',
    'spoke to',
    'speak to',
    'speak with',
    'talk to',
    'talked to',
    'talking to',
    'talked with',
    'ask for',
  ],
  ...[
    'hi',
    'hello',
    'hey',
    'dear',
    'thanks',
    'thank you',
    'sorry',
    'okay',
    'ok',
    'yes',
    'no',
    'bye',
    'goodbye',
    'good morning',
    'good afternoon',
    'good evening',
  ],
  ...[
    'husband',
    'wife',
    'son',
    'daughter',
    'mother',
    'father',
    'brother',
    'sister',
    'colleague',
    'manager',
    'agent',
    'doctor',
    'friend',
    'partner',
  ],
  ...[
    'account holder',
    'on behalf of',
    'behalf of',
    'belongs to',
    'contact',
    'transfer you to',
    'connect you with',
    'connect you to',
    'agent named',
    'and',
  ],
];
const CUE_WORDS_MAX = 4;
/** Words of an organisation, a thing or a place: what stands before them is theirs. */
const ORGANISATIONS = words(`
  inc ltd llc gmbh corp corporation company co bank store stores shop electronics restaurant hotel airlines airways insurance motors group foundation
  university college school hospital center centre street avenue road boulevard lane airport station park bridge city county plan package edition
  model brand pharmacy bakery supermarket
`);
const ARTICLES = words('the a an this that these those my your our their its any every some which');
/** What follows an introduction and is no name. */
const NO_NAMES = words(`
  a an the on in at of for from to with by about and or but not no yes is was are were be been being am has have had do does did can could will would
  should may might must i you he she it we they me him her us them my your his our their this that these those here there what who how why when where
  which all any some very really so just still also too only now then today tomorrow yesterday again already never always spelled misspelled wrong
  right correct incorrect missing required different same sorry sure calling called looking trying having getting going waiting happy unhappy angry
  upset disappointed satisfied glad afraid ready fine good great okay ok interested new old wonderful excellent perfect terrible awful horrible
  unacceptable ridiculous great thanks thank please hello hi hey bye goodbye morning afternoon evening monday tuesday wednesday thursday friday
  saturday sunday january february march april june july september october november december english german french spanish internet wifi router
  account number order invoice bill card address phone email contract support customer service agent
`);

interface Cues {
  readonly whole: ReadonlySet<string>;
  /** The last word of each: most words need no further look. */
  readonly lasts: ReadonlySet<string>;
}

const cuesOf = (cues: readonly string[]): Cues => ({
  whole: new Set(cues),
  lasts: new Set(cues.map((cue) => cue.slice(cue.lastIndexOf(' ') + 1))),
});
const CUES = { introductions: cuesOf(INTRODUCTIONS), hints: cuesOf(HINTS) } as const;
const NAME_TOKENS_MAX = 4;

/** For each token whether it is of a person's name, by the rules alone. */
export function ruledNames(text: string, tokens: readonly Token[]): Uint8Array {
  const names = new Uint8Array(tokens.length);
  for (let i = 0; i < tokens.length; i += 1) {
    if (!isName(tokens, i)) continue;
    names[i] = 1;
    const isTold = isIntroduced(tokens, i, CUES.introductions);
    let last = i;
    while (last + 1 < tokens.length && last + 1 - i < NAME_TOKENS_MAX) {
      // Who says a name says the surname: the next word, also where nothing is capitalised and no list knows it.
      if (!goesOn(text, tokens, last + 1, isTold && last === i)) break;
      last += 1;
      names[last] = 1;
    }
    i = last;
  }
  return names;
}

const CONTRACTION = /'(?:d|ll|m|re|t|ve)$/;

/** Whether a word can be of a name at all: no placeholder, no single letter, none of the words that never are. */
export function mayBeName({ word, lower }: Token): boolean {
  return !word.startsWith('[') && lower.length > 1 && !NO_NAMES.has(lower) && !CONTRACTION.test(lower);
}

/** Whether a word that names are made of stands as any other word does. */
export function isPlainWord({ lower, isCapitalised }: Token): boolean {
  return !isCapitalised && AMBIGUOUS_NAMES.has(lower);
}

/** What the lists of words say of a token. */
export function listsOf({ lower }: Token): readonly boolean[] {
  return [GIVEN_NAMES, SURNAMES, AMBIGUOUS_NAMES, ORGANISATIONS, ARTICLES, NO_NAMES].map((list) => list.has(lower));
}

function isName(tokens: readonly Token[], i: number): boolean {
  const token = tokens[i];
  const { lower, isCapitalised, isFirst } = token;
  if (token.word.startsWith('[') || lower.length < 2) return false;
  if (isIntroduced(tokens, i, CUES.introductions)) return !NO_NAMES.has(lower);
  const next = tokens[i + 1];
  if (next !== undefined && ORGANISATIONS.has(next.lower) && !next.isFirst) return false;
  const isPair = next !== undefined && !next.isFirst && isCapitalised && next.isCapitalised && SURNAMES.has(next.lower);
  if (AMBIGUOUS_NAMES.has(lower)) return isCapitalised && (isPair || isIntroduced(tokens, i, CUES.hints));
  if (NO_NAMES.has(lower)) return false;
  const before = tokens[i - 1];
  const isThing = before !== undefined && !isFirst && ARTICLES.has(before.lower);
  if (GIVEN_NAMES.has(lower)) return !isThing || isPair;
  if (SURNAMES.has(lower)) return isCapitalised && !isThing;
  return isPair || (isCapitalised && !isFirst && isIntroduced(tokens, i, CUES.hints));
}

/** Whether the words before token i, in its sentence, end with a cue. "Hello. Rahul speaking": only an introduction reaches into the sentence before. */
function isIntroduced(tokens: readonly Token[], i: number, cues: Cues): boolean {
  if (i === 0 || !cues.lasts.has(tokens[i - 1].full)) return false;
  if (tokens[i].isFirst && cues !== CUES.introductions) return false;
  let words = '';
  for (let at = i - 1; at >= 0 && i - at <= CUE_WORDS_MAX; at -= 1) {
    words = words === '' ? tokens[at].full : `${tokens[at].full} ${words}`;
    if (cues.whole.has(words)) return true;
    if (tokens[at].isFirst) return false;
  }
  return false;
}

/** Whether a name goes on with token i: a further given name, a surname, or any capital right behind it. */
function goesOn(text: string, tokens: readonly Token[], i: number, isSurname: boolean): boolean {
  const { lower, word, isCapitalised, isFirst, from } = tokens[i];
  const between = text.slice(tokens[i - 1].to, from);
  if (isFirst || !/^[ .]{1,2}$/.test(between) || word.startsWith('[') || NO_NAMES.has(lower)) return false;
  if (ORGANISATIONS.has(lower)) return false;
  return isSurname || isCapitalised || SURNAMES.has(lower) || GIVEN_NAMES.has(lower);
}
