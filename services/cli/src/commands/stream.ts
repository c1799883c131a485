import type { Program } from '../program.ts';
import { wholeNumber } from './option-values.ts';

const EXAMPLES = `
Examples:
  tideline stream check quotes.yaml
  tideline stream check quotes.yaml --data quotes.csv.gz --map price=px
`;

export function addStream(program: Program): void {
  const stream = program.command('stream').description('streams that a file declares');
  stream
    .command('check')
    .description(
      "whether a stream's file is right, what the network sees, and with --data what it sees of real records",
    )
    .argument('<file>', 'YAML or JSON; docs/streams.md says what is in it')
    .option(
      '--data <file>',
      "records: CSV or JSON lines (both also .gz), Parquet, or '-' for JSON lines on standard input",
    )
    .option('--map <field=column...>', 'field of the record = column of the file')
    .option('--records <number>', 'read so many at most', wholeNumber(1), 100_000)
    .option('--json', 'print one JSON line')
    .addHelpText('after', EXAMPLES)
    .action((file, options) =>
      program.run('stream', async () => (await import('./stream-check.ts')).check(file, options)),
    );
}
