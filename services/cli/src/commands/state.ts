import { Option } from '@commander-js/extra-typings';
import type { Program } from '../program.ts';

const STATE = ['--state <folder>', "the folder of 'demo --state' instead of Redis"] as const;
const JSON_OPTION = ['--json', 'print JSON'] as const;

const EXAMPLES = `
Examples:
  tideline state show                                 every shard: position, records behind, series
  tideline state show --key BTC-USD
  tideline state export states.jsonl.gz --topic ticks
  tideline state reset BTC-USD --topic ticks --replay   rebuild it from the records that Kafka retains
`;

/** `tideline state`: the hidden states of the series, with the position that they are at. */
export function addState(program: Program): void {
  const state = program
    .command('state')
    .description('show, export, import, restore and reset the states of the series')
    .addHelpText('after', EXAMPLES);
  state
    .command('show')
    .description('how the shards stand; with --key the state of a series')
    .argument('[shard]', "one shard only, as in 'ticks-0'")
    .option('--key <key>', 'the state of this series')
    .option('--quarantined', 'the series that are quarantined')
    .option(...JSON_OPTION)
    .option(...STATE)
    .action((shard, options) =>
      program.run('state', async () => (await import('./state-show.ts')).showState(program.env, shard, options)),
    );
  state
    .command('export')
    .description('states and positions to a file, each shard as it is at one moment; the pipeline goes on')
    .argument('<file>', 'the file to write (.jsonl or .jsonl.gz)')
    .option('--topic <topic>', 'only shards of this topic')
    .option(...JSON_OPTION)
    .option(...STATE)
    .action((file, options) =>
      program.run('state', async () => (await import('./state-transfer.ts')).exportStates(program.env, file, options)),
    );
  state
    .command('import')
    .description('states and positions from a file')
    .argument('<file>', "what 'state export' wrote")
    .option('--topic <topic>', 'only shards of this topic')
    .option('--force', 'replace shards that are there')
    .option(...JSON_OPTION)
    .option(...STATE)
    .action((file, options) =>
      program.run('state', async () => (await import('./state-transfer.ts')).importStates(program.env, file, options)),
    );
  state
    .command('restore')
    .description('states and positions from the newest checkpoints in Kafka')
    .option('--topic <topic>', 'only shards of this topic')
    .option('--force', 'replace shards that are there')
    .option(...JSON_OPTION)
    .action((options) =>
      program.run('state', async () => (await import('./state-transfer.ts')).restoreStates(program.env, options)),
    );
  state
    .command('reset')
    .description("forget a series' state and quarantine, or rebuild it from its records")
    .argument('<key>', 'key of the series')
    .requiredOption('--topic <topic>', 'topic of its records')
    .option('--replay', 'rebuild the state from the records that Kafka retains, with the model that serves now')
    .option('--no-points', 'write no points of the rebuilt steps')
    .addOption(
      new Option('--on-poison <policy>', 'what to do with a record that makes the state not finite')
        .choices(['skip', 'refuse'] as const)
        .default('skip' as const),
    )
    .option(...JSON_OPTION)
    .option(...STATE)
    .action((key, options) =>
      program.run('state', async (signals) =>
        (await import('./state-reset.ts')).resetState(program.env, key, options, signals),
      ),
    );
}
