import { type NameTagger, namesIn } from '@tideline/streams';
import type { NamedText } from './sentences.ts';

/** How well names are found, by words and by texts. */
export interface NameScores {
  readonly texts: number;
  /** Of the words taken for names, the share that is; of the words of names, the share that is taken; their harmonic mean. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Share of the texts with a name of which a word of a name stays. */
  readonly leakingTexts: number;
  /** Words that are of no name and go, of 1,000. */
  readonly wronglyTaken: number;
}

/** Scores of redaction by rules and, where it is given, the tagger. */
export function scoreNames(texts: readonly NamedText[], tagger: NameTagger | null): NameScores {
  let [right, wrong, missed, words, named, leaking] = [0, 0, 0, 0, 0, 0];
  for (const { text, tokens, names } of texts) {
    const found = namesIn(text, tokens, tagger);
    let leaks = false;
    for (let i = 0; i < tokens.length; i += 1) {
      if (names[i] === 1 && found[i] === 1) right += 1;
      else if (found[i] === 1) wrong += 1;
      else if (names[i] === 1) {
        missed += 1;
        leaks = true;
      }
    }
    words += tokens.length;
    named += names.includes(1) ? 1 : 0;
    leaking += leaks ? 1 : 0;
  }
  const precision = right / Math.max(1, right + wrong);
  const recall = right / Math.max(1, right + missed);
  const f1 = (2 * precision * recall) / Math.max(Number.MIN_VALUE, precision + recall);
  const shares = {
    leakingTexts: leaking / Math.max(1, named),
    wronglyTaken: (1e3 * wrong) / Math.max(1, words - right - missed),
  };
  return { texts: texts.length, precision, recall, f1, ...shares };
}
