import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { Program } from '../program.ts';

const EXAMPLES = `
Examples:
  tideline replay trades.csv.gz --topic ticks --map symbol=ticker price=px ts=ts_us
  tideline replay calls.jsonl --topic calls --speed 60     a minute of the records in a second
  tideline replay - --topic quotes --stream quotes.yaml < quotes.jsonl
`;

export function addReplay(program: Program): void {
  program
    .command('replay')
    .description(
      'send the records of a CSV, JSON-lines (both also .gz) or Parquet file to a Kafka topic, in their order',
    )
    .argument('<file>', "the file, or '-' for JSON lines on standard input")
    .requiredOption('--topic <topic>', 'topic to send to')
    .option(
      '--map <field=column...>',
      'field of the contract = column of the file; ts=ts_us and ts=ts_ns become tsUs and tsNs',
    )
    .option('--stream <file>', 'the file that declares the stream of the topic: its key is the Kafka key')
    .option('--series <id>', 'id of the series, where the file has one and no column for it')
    .option('--key <field>', "field that is the Kafka key (default: the topic's)")
    .addOption(
      new Option('--speed <factor>', "speed against the records' own times; 'max' does not wait")
        .argParser(parseSpeed)
        .default(Number.POSITIVE_INFINITY, 'max'),
    )
    .addHelpText('after', EXAMPLES)
    .action((file, options) =>
      program.run('replay', async (signals) => {
        const { replay } = await import('./replay-run.ts');
        await replay({ environment: program.env, file, options, signals });
      }),
    );
}

function parseSpeed(text: string): number {
  const speed = text === 'max' ? Number.POSITIVE_INFINITY : Number(text);
  if (!(speed > 0)) throw new InvalidArgumentError("must be a number above 0, or 'max'.");
  return speed;
}
