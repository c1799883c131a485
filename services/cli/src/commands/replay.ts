import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { Program } from '../program.ts';
import { modelsOption, sentenceEncoderOption, wholeNumber } from './option-values.ts';

const EXAMPLES = `
Examples:
  tideline replay trades.csv.gz --topic ticks --map symbol=ticker price=px ts=ts_us
  tideline replay calls.jsonl --topic calls --speed 60     a minute of the records in a second
  tideline replay - --topic quotes --stream quotes.yaml < quotes.jsonl
  tideline replay call.jsonl                               a recorded call, turn by turn, here and without Kafka
  tideline replay call.jsonl --replace "4=I will refund it." --without-turn 6
  tideline replay call.jsonl --until 12 --out turns.parquet
`;

export function addReplay(program: Program): void {
  program
    .command('replay')
    .description(
      'send the records of a CSV, JSON-lines (both also .gz) or Parquet file to a Kafka topic; without a topic: show a recorded call, and what if',
    )
    .argument('<file>', "the file, or '-' for JSON lines on standard input")
    .option('--topic <topic>', 'topic to send to; without it the file is a recorded call, which is stepped here')
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
    .option('--call <id>', 'a recorded call: which one, where the file has several')
    .option('--without-turn <n>', 'what if turn n had not been said; may be repeated', collected(turn))
    .option('--until <n>', 'what if the call had ended behind turn n', turn)
    .option('--replace <n=text>', 'what if other words had been said at turn n; may be repeated', collected(otherWords))
    .option('--rules <file>', "rules of the call's alerts (default: those of the demo)")
    .addOption(modelsOption('--models <folder>'))
    .addOption(sentenceEncoderOption())
    .option('--out <file>', 'a recorded call: write its turns there, too (.csv, .parquet, .json, .jsonl)')
    .option('--json', 'a recorded call: one JSON line instead of the table')
    .addHelpText('after', EXAMPLES)
    .action((file, options) =>
      program.run('replay', async (signals) => {
        const { topic } = options;
        if (topic === undefined) {
          const { replayCall } = await import('./replay-call.ts');
          return replayCall(file, options);
        }
        const { replay } = await import('./replay-run.ts');
        await replay({ environment: program.env, file, options: { ...options, topic }, signals });
      }),
    );
}

const turn = wholeNumber(1);

/** A reader of an option that may be repeated. */
function collected<T>(read: (text: string) => T): (text: string, before?: readonly T[]) => readonly T[] {
  return (text, before = []) => [...before, read(text)];
}

function otherWords(text: string): readonly [number, string] {
  const [, number, words] = /^(\d+)=(.*)$/s.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('must be TURN=TEXT, such as "4=I will refund it."');
  return [Number(number), words];
}

function parseSpeed(text: string): number {
  const speed = text === 'max' ? Number.POSITIVE_INFINITY : Number(text);
  if (!(speed > 0)) throw new InvalidArgumentError("must be a number above 0, or 'max'.");
  return speed;
}
