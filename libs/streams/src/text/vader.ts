/** The VADER lexicon. Source: C. Hutto, E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text", ICWSM 2014. */
import { createRequire } from 'node:module';
import { TYPOGRAPHIC_APOSTROPHES } from './tokens.ts';

/** Shares of negative, neutral and positive words (they sum to 1) and a compound score in -1..1. */
export interface Polarity {
  readonly neg: number;
  readonly neu: number;
  readonly pos: number;
  readonly compound: number;
}

interface VaderModule {
  readonly SentimentIntensityAnalyzer: { polarity_scores(text: string): Polarity };
}

// A CommonJS package without types.
const VADER = createRequire(import.meta.url)('vader-sentiment') as VaderModule;
const NEUTRAL: Polarity = { neg: 0, neu: 1, pos: 0, compound: 0 };

/** Typographic apostrophes are read as straight ones: the lexicon's negations ("don't") are written so. */
export function polarityOf(text: string): Polarity {
  if (text.trim() === '') return NEUTRAL;
  const scores = VADER.SentimentIntensityAnalyzer.polarity_scores(text.replace(TYPOGRAPHIC_APOSTROPHES, "'"));
  return Number.isFinite(scores.compound) ? scores : NEUTRAL;
}
