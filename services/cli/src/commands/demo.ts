import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { ENGINE_KINDS, type EngineKind } from '@tideline/nn/kinds';
import { LATE_POLICIES, type LatePolicy } from '@tideline/pipeline';
import type { Program } from '../program.ts';
import { modelsOption, portNumber, positive, sentenceEncoderOption, wholeNumber } from './option-values.ts';

const EXAMPLES = `
Examples:
  tideline demo                                          the page on http://127.0.0.1:8080; Ctrl-C ends it
  tideline demo --once --summary json                    all records at once, and the digest of the forecasts
  tideline demo --streams ticks,calls,call-volume        also calls to come, with the agents that they need
  tideline demo --file prices.csv.gz --streams ticks --map symbol=Ticker ts=Date price=Close
  tail -f trades.jsonl | tideline demo --file - --streams quotes.yaml --state ./quotes-state
`;

export function addDemo(program: Program): void {
  program
    .command('demo')
    .description(
      'run the whole pipeline in this process, with no server: real prices replayed as a live feed, generated ticks and calls',
    )
    .option('--once', 'run through the data as fast as possible, then stop')
    .addOption(new Option('--summary <form>', 'print a summary on the last line').choices(['json', 'text'] as const))
    .option(
      '--file <path>',
      "read records from a CSV, JSON-lines (both also .gz) or Parquet file, or '-' for JSON lines on standard input",
    )
    .option(
      '--streams <list>',
      "streams to serve: names, or paths of files that declare one; 'topic=stream' where the topic has another name",
      'ticks,calls',
    )
    .option('--topic <topic>', 'topic of the records of --file (default: the first of --streams)')
    .option('--map <field=column...>', "field of the stream's records = column of --file (default: the same names)")
    .option('--series <id>', 'id of the series, where --file has one and no column for it')
    .option('--rate <records>', 'records a second of the live feed', positive, 200)
    .option('--host <address>', 'address of the page', '127.0.0.1')
    .option('--port <port>', 'port of the page; 0: any that is free', portNumber, 8080)
    .option('--state <folder>', 'keep states and points there and go on from them (default: each run starts afresh)')
    .addOption(modelsOption('--models <folder>'))
    .addOption(
      new Option('--engine <engine>', 'engine of the models').choices(ENGINE_KINDS).default('auto' as EngineKind),
    )
    .addOption(
      new Option('--late <policy>', 'what happens to late and repeated records')
        .choices(LATE_POLICIES)
        .default('apply' as LatePolicy),
    )
    .option(
      '--idle-ttl-ms <ms>',
      "a series silent for longer, in event time, starts anew; 'off': never (default: as the stream has it)",
      parseIdle,
    )
    .addOption(
      new Option(
        '--verify <switch>',
        'score the forecasts of ticks when their truth comes, and calibrate their intervals (default: on, with --once off)',
      ).choices(['on', 'off'] as const),
    )
    .option('--rules <file>', 'rules for alerts over calls (default: docs/rules.yaml, with --once none; docs/calls.md)')
    .addOption(sentenceEncoderOption())
    .option(
      '--call-points <list>',
      'points of calls beside sentiment and alerts: turns, figures, rollups, scores, summary or none (default: all, with --once none)',
    )
    .option('--seed <number>', 'seed of the generated data', wholeNumber(0), 1)
    .addHelpText('after', EXAMPLES)
    .action((options) =>
      program.run('demo', async (signals) => (await import('./demo-run.ts')).demo(options, signals, program.env)),
    );
}

function parseIdle(text: string): number | null {
  if (text === 'off') return null;
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError("must be a whole number of milliseconds, or 'off'.");
  return Number(text);
}
