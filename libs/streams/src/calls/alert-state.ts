/**
 * Rules at a call's turns. How often in a row each rule held is in the call's state, so that a replay finds the same alerts; an alert's identity is the
 * rule and the position of its record. A rule that counts turns speaks when the count is reached and not again before it was broken; one that looks for
 * words or a category speaks once in a call; silence, each time.
 */
import type { OutputState } from '@tideline/pipeline';
import { type CallRule, type CallRules, createWordFinder, RULES_MAX } from './rules.ts';

/** A number a rule; other rules begin their counts anew. */
export function alertState({ rules, categories }: CallRules): OutputState {
  const text = JSON.stringify([rules.map(({ name, when }) => [name, when]), categories]);
  let meaning = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) meaning = Math.imul(meaning ^ text.charCodeAt(i), 0x01000193);
  return { size: RULES_MAX, meaning: meaning >>> 0 };
}

/** A turn as rules see it. */
export interface RuledTurn {
  readonly speaker: string;
  readonly text: string;
  readonly score: number;
  readonly callScore: number;
  /** Null: the model does not say. */
  readonly escalation: number | null;
  /** Since the turn before, hold not counted. */
  readonly silenceMs: number;
}

export interface FoundAlert {
  readonly rule: CallRule;
  /** Score, probability or seconds; 0 where words were found. */
  readonly value: number;
  /** A sentence for people. It holds words of the rule, none of the call. */
  readonly reason: string;
}

/** Takes a turn into the state at `at`, [RULES_MAX], and tells which rules speak. */
export type AlertWatch = (turn: RuledTurn, state: Float64Array, at: number) => readonly FoundAlert[];

export function createAlertWatch({ rules, categories }: CallRules): AlertWatch {
  const watches = rules.map((rule) => watchOf(rule, categories));
  return (turn, state, at) => {
    const found: FoundAlert[] = [];
    watches.forEach((watch, i) => {
      const alert = watch(turn, state, at + i);
      if (alert !== null) found.push(alert);
    });
    return found;
  };
}

type RuleWatch = (turn: RuledTurn, state: Float64Array, at: number) => FoundAlert | null;

function watchOf(rule: CallRule, categories: CallRules['categories']): RuleWatch {
  const { when } = rule;
  if ('silence_seconds' in when)
    return ({ silenceMs }) => {
      const value = silenceMs / 1_000;
      if (value < when.silence_seconds) return null;
      return { rule, value, reason: `Nobody spoke for ${value} seconds.` };
    };
  const { speaker } = when;
  const concerns = (turn: RuledTurn): boolean => speaker === undefined || turn.speaker === speaker;
  if ('words' in when) return wordWatch(rule, when.words, concerns, (word) => `Somebody said '${word}'.`);
  if ('category' in when) {
    const { category } = when;
    const words = categories.find(({ name }) => name === category)?.words ?? [];
    return wordWatch(rule, words, concerns, (word) => `The call is about ${category} ('${word}').`);
  }
  const { turns } = when;
  const test = thresholdOf(when);
  return (turn, state, at) => {
    if (!concerns(turn)) return null;
    const value = test.value(turn);
    if (value === null) return null;
    state[at] = test.holds(value) ? state[at] + 1 : 0;
    if (state[at] !== turns) return null;
    return { rule, value, reason: `${test.what}${turns > 1 ? ` for ${turns} turns` : ''}.` };
  };
}

function wordWatch(
  rule: CallRule,
  words: readonly string[],
  concerns: (turn: RuledTurn) => boolean,
  reason: (word: string) => string,
): RuleWatch {
  const find = createWordFinder(words);
  return (turn, state, at) => {
    const word = state[at] === 0 && concerns(turn) ? find(turn.text) : null;
    if (word === null) return null;
    state[at] = 1;
    return { rule, value: 0, reason: reason(word) };
  };
}

interface Threshold {
  readonly value: (turn: RuledTurn) => number | null;
  readonly holds: (value: number) => boolean;
  readonly what: string;
}

function thresholdOf(
  when: Exclude<CallRule['when'], { words: unknown } | { category: unknown } | { silence_seconds: unknown }>,
): Threshold {
  if ('score_below' in when) {
    const { score_below: below } = when;
    return { value: ({ score }) => score, holds: (value) => value < below, what: `The score was below ${below}` };
  }
  if ('call_score_below' in when) {
    const { call_score_below: below } = when;
    return {
      value: ({ callScore }) => callScore,
      holds: (value) => value < below,
      what: `The score of the call was below ${below}`,
    };
  }
  const { escalation_above: above } = when;
  return {
    value: ({ escalation }) => escalation,
    holds: (value) => value !== null && value > above,
    what: `The probability of escalation was above ${above}`,
  };
}
