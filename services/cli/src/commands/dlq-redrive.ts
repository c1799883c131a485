import { type KeptLetter, letterKey, readDeadLetters, redriveDeadLetters } from '@tideline/adapters';
import { ConfigurationError } from '@tideline/runtime';
import type { Environment } from '../addresses.ts';
import { parseMap } from '../field-map.ts';
import { type LetterFilter, letterTopic, matches } from './dlq-letters.ts';

export interface RedriveCommandOptions extends LetterFilter {
  readonly all?: true | undefined;
  readonly position?: readonly string[] | undefined;
  readonly mapTopic?: readonly string[] | undefined;
  readonly again?: true | undefined;
  readonly applyLate?: true | undefined;
  readonly dryRun?: true | undefined;
  readonly json?: true | undefined;
  readonly deadLetters?: string | undefined;
}

/**
 * Throws ConfigurationError where the choice is none, or a letter that was named was redriven before. A late record sent again to its own topic is late
 * once more: it goes only to another topic, or with `applyLate`, which marks it.
 */
export async function redrive(env: Environment, options: RedriveCommandOptions): Promise<void> {
  if ((options.all === undefined) === (options.position === undefined))
    throw new ConfigurationError(["Say which letters: either '--all' or '--position topic/partition/offset'."]);
  const place = await letterTopic(env, options);
  const map = new Map(Object.entries(parseMap(options.mapTopic ?? [])));
  const topicOf = (topic: string): string => map.get(topic) ?? topic;
  const comesBack = ({ code, shard }: KeptLetter): boolean =>
    code === 'LATE_RECORD' && !options.applyLate && topicOf(shard.topic) === shard.topic;
  let [skipped, late] = [0, 0];
  const select = (letters: readonly KeptLetter[]): KeptLetter[] => {
    const found = choose(letters, options);
    const named = options.position === undefined ? [] : found.filter(comesBack);
    if (named.length > 0)
      throw new ConfigurationError(
        named.map((letter) => `The record at ${letterKey(letter)} would be late again: '--apply-late' has it stepped.`),
      );
    const chosen = found.filter((letter) => !comesBack(letter));
    late = found.length - chosen.length;
    const due = options.again ? chosen : chosen.filter(({ redriven }) => redriven === null);
    skipped = chosen.length - due.length;
    return due;
  };
  const dry = options.dryRun === true;
  const letters = dry
    ? select(await readDeadLetters(place))
    : await redriveDeadLetters({ ...place, select, topicOf, applyLate: options.applyLate === true, atMs: Date.now() });
  if (options.json) {
    const sent = letters.map((letter) => ({ position: letterKey(letter), topic: topicOf(letter.shard.topic) }));
    process.stdout.write(
      `${JSON.stringify({ redriven: letters.length, skipped, late, dryRun: dry, letters: sent })}\n`,
    );
    return;
  }
  for (const letter of letters) process.stdout.write(`${letterKey(letter)} -> ${topicOf(letter.shard.topic)}\n`);
  const before = skipped > 0 ? ` ${skipped} were redriven before: '--again' sends them once more.` : '';
  const left = late > 0 ? ` ${late} would be late again: '--apply-late' has them stepped.` : '';
  process.stderr.write(`${letters.length} record(s) ${dry ? 'would be' : 'were'} sent again.${before}${left}\n`);
}

function choose(letters: readonly KeptLetter[], options: RedriveCommandOptions): KeptLetter[] {
  const filtered = letters.filter((letter) => matches(letter, options));
  if (options.position === undefined) return filtered;
  const byPosition = new Map(filtered.map((letter) => [letterKey(letter), letter]));
  const chosen = [...new Set(options.position)].map((position) => ({ position, letter: byPosition.get(position) }));
  const problems = chosen.flatMap(({ position, letter }) => {
    if (letter === undefined) return [`There is no dead letter at ${position}: see 'tideline dlq list'.`];
    if (letter.redriven === null || options.again) return [];
    const at = new Date(letter.redriven.atMs).toISOString();
    return [`${position} was redriven to ${letter.redriven.topic} at ${at}: '--again' sends it once more.`];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return chosen.flatMap(({ letter }) => letter ?? []);
}
