import { type KeptLetter, letterKey } from '@tideline/adapters';
import { ConfigurationError } from '@tideline/runtime';
import type { Environment } from '../addresses.ts';
import { printable, printableBytes } from '../printable.ts';
import { type LetterFilter, type LetterPlace, letterJson, matches, readLetters } from './dlq-letters.ts';

/** `tideline dlq list`: one line a letter. */
export async function listLetters(
  env: Environment,
  options: LetterPlace & LetterFilter & { readonly json?: true | undefined },
): Promise<void> {
  const letters = (await readLetters(env, options)).filter((letter) => matches(letter, options));
  for (const letter of letters)
    process.stdout.write(`${options.json ? JSON.stringify(letterJson(letter)) : lineOf(letter)}\n`);
  if (!options.json) process.stderr.write(`${letters.length} dead letter(s).\n`);
}

/** `tideline dlq show`. Throws ConfigurationError where there is no letter at the position. */
export async function showLetter(
  env: Environment,
  wanted: string,
  options: LetterPlace & { readonly json?: true | undefined; readonly raw?: true | undefined },
): Promise<void> {
  const letter = (await readLetters(env, options)).find((one) => letterKey(one) === wanted);
  if (!letter) throw new ConfigurationError([`There is no dead letter at ${wanted}: see 'tideline dlq list'.`]);
  if (options.raw) process.stdout.write(letter.record.value ?? '');
  else process.stdout.write(`${options.json ? JSON.stringify(letterJson(letter)) : textOf(letter)}\n`);
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
