import { InvalidArgumentError } from '@commander-js/extra-typings';
import { type KeptLetter, letterKey } from '@tideline/adapters';
import { ConfigurationError } from '@tideline/runtime';
import { printable, printableBytes } from '../printable.ts';
import type { Program } from '../program.ts';
import { letterJson, matches, readLetters } from './dlq-letters.ts';
import { redrive } from './dlq-redrive.ts';

const STATE = ['--state <folder>', "read the folder of 'demo --state' instead of Kafka"] as const;
const DEAD_LETTERS = ['--dead-letters <topic>', 'dead letter topic (default: TIDELINE_DEAD_LETTER_TOPIC)'] as const;
const TOPIC = ['--topic <topic>', 'only letters of records of this topic'] as const;
const REASON = ['--reason <text>', 'only letters whose reason holds this text'] as const;

/** `tideline dlq`: the records that were refused, why, and how to send them again. */
export function addDlq(program: Program): void {
  const dlq = program.command('dlq').description('list, show and redrive the records that were refused (dead letters)');
  dlq
    .command('list')
    .description('one line a letter: position, when, field, reason')
    .option(...TOPIC)
    .option(...REASON)
    .option('--json', 'one JSON object a line')
    .option(...DEAD_LETTERS)
    .option(...STATE)
    .action((options) =>
      program.run('dlq', async () => {
        const letters = (await readLetters(program.env, options)).filter((letter) => matches(letter, options));
        for (const letter of letters)
          process.stdout.write(`${options.json ? JSON.stringify(letterJson(letter)) : lineOf(letter)}\n`);
        if (!options.json) process.stderr.write(`${letters.length} dead letter(s).\n`);
      }),
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
      program.run('dlq', async () => {
        const letter = (await readLetters(program.env, options)).find((one) => letterKey(one) === wanted);
        if (!letter) throw new ConfigurationError([`There is no dead letter at ${wanted}: see 'tideline dlq list'.`]);
        if (options.raw) process.stdout.write(letter.record.value ?? '');
        else process.stdout.write(`${options.json ? JSON.stringify(letterJson(letter)) : textOf(letter)}\n`);
      }),
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
    .action((options) => program.run('dlq', () => redrive(program.env, options)));
}

function position(text: string): string {
  if (!/^[^/\s]+\/\d+\/\d+$/.test(text))
    throw new InvalidArgumentError('must be topic/partition/offset, as in ticks/0/17.');
  return text;
}

function positions(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, position(text)];
}

function lineOf(letter: KeptLetter): string {
  const { record, field, reason, redriven } = letter;
  const when = new Date(record.timestampMs).toISOString();
  const key = record.key === null ? '-' : printableBytes(record.key);
  const mark = redriven === null ? '' : `  (redriven to ${redriven.topic} at ${new Date(redriven.atMs).toISOString()})`;
  return `${letterKey(letter)}  ${when}  ${key}  ${field || '-'}: ${printable(reason)}${mark}`;
}

function textOf(letter: KeptLetter): string {
  const { record, redriven } = letter;
  const lines = [
    `position   ${letterKey(letter)}`,
    `when       ${new Date(record.timestampMs).toISOString()}`,
    `reason     ${printable(letter.reason)}`,
    `field      ${letter.field || '-'}`,
    `redriven   ${redriven === null ? 'no' : `to ${redriven.topic} at ${new Date(redriven.atMs).toISOString()}`}`,
    `key        ${printableBytes(record.key)}`,
    ...Object.entries(record.headers).flatMap(([name, values]) =>
      values.map((value) => `header     ${printable(name)}: ${printableBytes(value)}`),
    ),
    `value      ${record.value === null ? '(none)' : `${record.value.length} bytes`}`,
  ];
  return [...lines, record.value === null ? '' : printableBytes(record.value)].join('\n');
}
