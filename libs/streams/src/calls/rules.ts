/**
 * Rules over calls, declared in a file: what they look for, and the categories of calls. Throws ConfigError that names every problem at once.
 */
import { ConfigError } from '@tideline/pipeline';
import { parse } from 'yaml';
import { z } from 'zod';

/** Rules of one file: each has a place in the state of every call. */
export const RULES_MAX = 32;

const NAME = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes');
const WORDS = z.array(z.string().trim().min(1).max(80)).min(1).max(500);
const TURNS = z.number().int().min(1).max(1_000).default(1);
const PERSON = z.string().trim().min(1).max(64);
const SPEAKER = z.string().min(1).max(64).optional();

const CONDITION = z.union(
  [
    z.strictObject({ score_below: z.number().min(-1).max(1), turns: TURNS, speaker: SPEAKER }),
    z.strictObject({ call_score_below: z.number().min(-1).max(1), turns: TURNS, speaker: SPEAKER }),
    z.strictObject({ escalation_above: z.number().min(0).max(1), turns: TURNS, speaker: SPEAKER }),
    z.strictObject({ words: WORDS, speaker: SPEAKER }),
    z.strictObject({ category: NAME, speaker: SPEAKER }),
    z.strictObject({ silence_seconds: z.number().positive().max(86_400) }),
  ],
  {
    error:
      'must be one of { score_below, turns }, { call_score_below, turns }, { escalation_above, turns }, { words }, { category }, each with or without ' +
      'speaker, or { silence_seconds }',
  },
);

const FILE = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        name: NAME,
        when: CONDITION,
        severity: z.enum(['info', 'warning', 'critical']).default('warning'),
      }),
    )
    .max(RULES_MAX, `must be at most ${RULES_MAX} rules`)
    .default([]),
  categories: z
    .array(z.strictObject({ name: NAME, words: WORDS }))
    .max(32)
    .default([]),
  /** Whose figures an agent's are, too. */
  supervisors: z
    .array(z.strictObject({ name: PERSON, agents: z.array(PERSON).min(1).max(1_000) }))
    .max(1_000)
    .default([]),
});

export type CallRules = z.infer<typeof FILE>;
export type CallRule = CallRules['rules'][number];

/** `path` is for messages. */
export function parseCallRules(text: string, path: string): CallRules {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new ConfigError([`The rules '${path}' are no YAML: ${(error as Error).message}`]);
  }
  const result = FILE.safeParse(content ?? {});
  if (!result.success)
    throw new ConfigError(
      result.error.issues.map(({ path: at, message }) => `Rules '${path}', ${at.join('.') || 'the file'}: ${message}.`),
    );
  const { rules, categories, supervisors } = result.data;
  const known = new Set(categories.map(({ name }) => name));
  const agents = supervisors.flatMap((supervisor) => supervisor.agents.map((name) => ({ name })));
  const problems = [
    ...twice('rule', rules),
    ...twice('category', categories),
    ...twice('supervisor', supervisors),
    ...twice("a supervisor's agent", agents),
  ];
  for (const { name, when } of rules)
    if ('category' in when && !known.has(when.category))
      problems.push(
        `Rules '${path}': rule '${name}' looks for category '${when.category}', which the file does not have.`,
      );
  if (problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

function twice(kind: string, items: readonly { readonly name: string }[]): string[] {
  const names = items.map(({ name }) => name);
  return names
    .filter((name, i) => names.indexOf(name) < i)
    .map((name) => `The rules have two of ${kind} '${name}': rename one.`);
}

/** Finds the first of some words or phrases in a text: whole words, whatever their case. `word*` finds what begins so. */
export function createWordFinder(words: readonly string[]): (text: string) => string | null {
  const parts = words.map((word) => {
    const open = word.endsWith('*');
    const escaped = word
      .replace(/\*$/, '')
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\s+/g, '\\s+');
    return `${escaped}${open ? '' : '(?![\\p{L}\\p{N}])'}`;
  });
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${parts.join('|')})`, 'iu');
  return (text) => pattern.exec(text)?.[0].toLowerCase() ?? null;
}
