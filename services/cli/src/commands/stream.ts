import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { Program } from '../program.ts';

export function addStream(program: Program): void {
  const stream = program.command('stream').description('streams that a file declares');
  stream
    .command('check')
    .description(
      "whether a stream's file is right, what the network sees, and with --data what it sees of real records",
    )
    .argument('<file>', 'YAML or JSON; docs/streams.md says what is in it')
    .option('--data <file>', "records: CSV or JSON lines, also .gz, or '-' for JSON lines on standard input")
    .option('--map <field=column...>', 'field of the record = column of the file')
    .option('--records <number>', 'read so many at most', countOf, 100_000)
    .option('--json', 'print one JSON line')
    .action((file, options) =>
      program.run('stream', async () => (await import('./stream-check.ts')).check(file, options)),
    );
}

function countOf(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number above 0.');
  return value;
}
