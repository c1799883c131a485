/** Labelled sentences to train and score a tagger of names with: templates filled with names, places and words by a seeded generator. */
import { SeededRandom } from '@tideline/nn';
import { nameTokensOf, type Token } from '@tideline/streams';
import { PARTS, type Part, type People, peopleOf } from './people.ts';
import { BRANDS, NAMED, NAMELESS, ORGANISATION_ENDS, PLACES, TIMES } from './templates.ts';

/** A text with what of it is of a person's name. */
export interface NamedText {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** Of each token: 1 where it is of a name. */
  readonly names: Uint8Array;
}

/** Names that are words, too: as names they stand where names do. */
const WORD_NAMES =
  'Will Mark Grace Hope Joy Rose May April June Summer Bill Rob Jack Frank Art Faith Penny Sue Drew Dawn Pat Ray Rich Jordan Paris Chase Jade'.split(
    ' ',
  );
const WORD_SURNAMES =
  'Black White Brown Green King Knight Young Long Short Page Hall Hill Baker Cook Hunter Miller Price Rose Stone Wood'.split(
    ' ',
  );
/** Of the clauses, those of words without a sentence. */
const WORDS_SHARE = 0.2;
/** After each change of a clause, the chance of another. */
const NOISE_SHARE = 0.4;
const FILLERS =
  'um uh well so yeah like actually please now just then again yup nope hmm oh right look honestly unfortunately'.split(
    ' ',
  );
const OPEN = '{';
const CLOSE = '}';
const LETTERS = { first: 'BCDFGHJKLMNPRSTVZ', vowels: 'aeiou', middle: 'bdfgklmnprstvz' } as const;

/** The text of a marked one, `{}` around each name: "this is {Rahul Sharma} speaking". */
export function readMarked(marked: string): NamedText {
  const spans: [from: number, to: number][] = [];
  let text = '';
  for (const character of marked)
    if (character === OPEN) spans.push([text.length, text.length]);
    else if (character === CLOSE) spans[spans.length - 1][1] = text.length;
    else text += character;
  const tokens = nameTokensOf(text);
  const names = Uint8Array.from(tokens, (token) =>
    spans.some(([from, to]) => token.from >= from && token.to <= to) ? 1 : 0,
  );
  return { text, tokens, names };
}

/** `count` sentences of a part, whose names and templates no other part has. `vocabulary`: lower-case words for {W}. */
export function sentencesOf(part: Part, count: number, seed: number, vocabulary: readonly string[]): NamedText[] {
  const writer = new Writer(part, seed, vocabulary);
  return Array.from({ length: count }, () => readMarked(writer.utterance()));
}

class Writer {
  readonly #random: SeededRandom;
  readonly #people: People;
  readonly #named: readonly string[];
  readonly #nameless: readonly string[];
  readonly #vocabulary: readonly string[];

  constructor(part: Part, seed: number, vocabulary: readonly string[]) {
    this.#random = new SeededRandom(seed, PARTS.indexOf(part));
    this.#people = peopleOf(part);
    this.#named = templatesOf(NAMED, part);
    this.#nameless = templatesOf(NAMELESS, part);
    this.#vocabulary = vocabulary;
  }

  /** One to three clauses, as people write or as a machine writes down what they say. */
  utterance(): string {
    const clauses = Array.from({ length: 1 + this.#below(3) }, () =>
      this.#chance(WORDS_SHARE)
        ? this.#words()
        : this.#clause(this.#of(this.#chance(0.5) ? this.#named : this.#nameless)),
    );
    const kind = this.#random.next();
    // Speech recognition without capitals and marks; chats; sentences.
    if (kind < 0.3)
      return clauses
        .join(' ')
        .replaceAll(/[.,!?]/g, '')
        .toLowerCase();
    if (kind < 0.4) return clauses.join(', ').toLowerCase();
    const sentences = clauses.map((clause) =>
      clause.replace(/^(\{?)(\p{Ll})/u, (_, open, letter) => open + letter.toUpperCase()),
    );
    if (kind < 0.9) return `${sentences.join('. ')}${this.#of(['.', '.', '!', '?', ''])}`;
    return clauses.join(' and ');
  }

  /** Words in no order, the frequent ones more often: none is a name, whatever its capital. */
  #words(): string {
    const words = Array.from({ length: 3 + this.#below(9) }, () => {
      const word = this.#vocabulary[Math.floor(this.#vocabulary.length * this.#random.next() ** 3)];
      return this.#chance(0.1) ? capitalised(word) : word;
    });
    return words.join(' ');
  }

  #clause(template: string): string {
    let said = template.split(' ');
    while (this.#chance(NOISE_SHARE)) said = this.#noisy(said);
    return said.join(' ').replaceAll(/\{(\w)\}/g, (_, place: string) => this.#fill(place, template));
  }

  /** A word too much, one too few or another one, as people speak and machines hear; places for names stay. */
  #noisy(words: string[]): string[] {
    const at = this.#below(words.length);
    const isPlain = !words[at].includes(OPEN) && words.length > 3;
    const kind = this.#random.next();
    if (kind < 0.4) return words.toSpliced(at, 0, this.#chance(0.5) ? this.#of(FILLERS) : this.#of(this.#vocabulary));
    if (!isPlain) return [this.#of(FILLERS), ...words];
    return kind < 0.7 ? words.toSpliced(at, 1) : words.toSpliced(at, 1, this.#of(this.#vocabulary));
  }

  #fill(place: string, template: string): string {
    // In a sentence that names nobody a name is no name: "the Rahul is broken".
    const isPerson = this.#named.includes(template);
    const marked = (name: string): string => (isPerson ? OPEN + name + CLOSE : name);
    if (place === 'N') return marked(this.#full());
    if (place === 'F') return marked(this.#given());
    if (place === 'L') return marked(this.#surname());
    if (place === 'O') return `${this.#chance(0.6) ? this.#given() : this.#surname()} ${this.#of(ORGANISATION_ENDS)}`;
    if (place === 'C') return this.#of(PLACES);
    if (place === 'M') return this.#of(TIMES);
    if (place === 'P') return this.#chance(0.7) ? this.#of(BRANDS) : capitalised(this.#of(this.#vocabulary));
    if (place === 'W') return this.#chance(0.85) ? this.#of(this.#vocabulary) : capitalised(this.#of(this.#vocabulary));
    return String(1 + this.#below(9_999));
  }

  #full(): string {
    const kind = this.#random.next();
    if (kind < 0.35) return this.#given();
    if (kind < 0.88) return `${this.#given()} ${this.#surname()}`;
    if (kind < 0.94) return `${this.#given()} ${this.#given()} ${this.#surname()}`;
    return `${this.#given()} ${String.fromCharCode(65 + this.#below(26))}. ${this.#surname()}`;
  }

  #given(): string {
    const kind = this.#random.next();
    if (kind < 0.12) return this.#of(WORD_NAMES);
    return kind < 0.3 ? this.#invented() : this.#of(this.#people.given);
  }

  #surname(): string {
    const kind = this.#random.next();
    if (kind < 0.1) return this.#of(WORD_SURNAMES);
    return kind < 0.25 ? this.#invented() : this.#of(this.#people.surnames);
  }

  /** A name that nobody has: only its place tells. */
  #invented(): string {
    let name: string = this.#of(LETTERS.first);
    for (let syllable = 1 + this.#below(3); syllable > 0; syllable -= 1)
      name += this.#of(LETTERS.vowels) + (syllable > 1 || this.#chance(0.5) ? this.#of(LETTERS.middle) : '');
    return name.length > 2 ? name : `${name}n`;
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }

  #below(count: number): number {
    return Math.floor(this.#random.next() * count);
  }

  #of(list: ArrayLike<string>): string {
    return list[this.#below(list.length)];
  }
}

/** Of every ten templates eight train, one validates, one is tested. */
function templatesOf(templates: readonly string[], part: Part): string[] {
  return templates.filter((_, i) => (i % 10 === 4 ? 'validation' : i % 10 === 9 ? 'test' : 'train') === part);
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
