import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { Program } from '../program.ts';

const STATE = ['--state <folder>', "read the folder of 'demo --state' instead of Kafka"] as const;
const DEAD_LETTERS = ['--dead-letters <topic>', 'dead letter topic (default: TIDELINE_DEAD_LETTER_TOPIC)'] as const;
const TOPIC = ['--topic <topic>', 'only letters of records of this topic'] as const;
const REASON = ['--reason <text>', 'only letters whose reason holds this text'] as const;

const EXAMPLES = `
Examples:
  tideline dlq list --topic ticks
  tideline dlq show ticks/0/17
  tideline dlq redrive --all --reason 'not JSON' --dry-run
  tideline dlq redrive --position ticks/0/17
`;

/** `tideline dlq`: the records that were refused, why, and how to send them again. */
export function addDlq(program: Program): void {
  const dlq = program
    .command('dlq')
    .description('list, show and redrive the records that were refused (dead letters)')
    .addHelpText('after', EXAMPLES);
  dlq
    .command('list')
    .description('one line a letter: position, when, field, reason')
    .option(...TOPIC)
    .option(...REASON)
    .option('--json', 'one JSON object a line')
    .option(...DEAD_LETTERS)
    .option(...STATE)
    .action((options) =>
      program.run('dlq', async () => (await import('./dlq-show.ts')).listLetters(program.env, options)),
    );
  dlq
    .command('show')
    .description('one letter: reason, position, headers, original bytes')
    .argument('<position>', 'topic/partition/offset', position)
    .option('--json', 'as one JSON object')
    .option('--raw', "print the original value's bytes and nothing else")
    .option(...DEAD_LETTERS)
    .option(...STATE)
    .action((wanted, options) =>
      program.run('dlq', async () => (await import('./dlq-show.ts')).showLetter(program.env, wanted, options)),
    );
  dlq
    .command('redrive')
    .description('send the original records again, as new records of their topic and partition, in their order')
    .option('--all', 'every letter that was not redriven yet')
    .option('--position <position...>', 'only these: topic/partition/offset', positions)
    .option(...TOPIC)
    .option(...REASON)
    .option('--map-topic <from=to...>', 'send the records of a topic to another one, by their key')
    .option('--again', 'also letters that were redriven before')
    .option('--apply-late', 'also late records, marked so that they are stepped however late they are')
    .option('--dry-run', 'say what would be sent')
    .option('--json', 'print one JSON line')
    .option(...DEAD_LETTERS)
    .action((options) =>
      program.run('dlq', async () => (await import('./dlq-redrive.ts')).redrive(program.env, options)),
    );
}

function position(text: string): string {
  if (!/^[^/\s]+\/\d+\/\d+$/.test(text))
    throw new InvalidArgumentError('must be topic/partition/offset, as in ticks/0/17.');
  return text;
}

function positions(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, position(text)];
}
