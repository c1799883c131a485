import { UP_FOLDER } from '../addresses.ts';
import type { Program } from '../program.ts';
import { portNumber } from './option-values.ts';

const EXAMPLES = `
What is not on this machine yet is fetched at the first start. Commands in this folder find the servers by themselves.

  tideline up --detach                                 start, then return
  tideline replay ticks.csv --topic ticks --speed 60   send records; the forecasts are on http://127.0.0.1:8080
  tideline doctor                                      see whether all is well
  tideline down                                        stop; data stays
`;

export function addUp(program: Program): void {
  program
    .command('up')
    .description(
      'start Kafka, Redis, InfluxDB and then ingest, forecaster and gateway on this machine, all on 127.0.0.1',
    )
    .option('--detach', 'leave them running and return')
    .option('--folder <path>', 'where their data and logs are kept', UP_FOLDER)
    .option('--kafka-port <port>', 'port of Kafka', portNumber, 9092)
    .option('--redis-port <port>', 'port of Redis', portNumber, 6379)
    .option('--influx-port <port>', 'port of InfluxDB', portNumber, 8086)
    .option('--gateway-port <port>', 'port of the dashboard', portNumber, 8080)
    .addHelpText('after', EXAMPLES)
    .action((options) =>
      program.run('up', async (signals) => (await import('./up-run.ts')).up(program.env, options, signals)),
    );
}

export function addDown(program: Program): void {
  program
    .command('down')
    .description("stop what 'tideline up' started; data stays")
    .option('--folder <path>', "folder given to 'up'", UP_FOLDER)
    .action(({ folder }) => program.run('down', async () => (await import('./up-run.ts')).down(folder)));
}
