import { UP_FOLDER } from '../addresses.ts';
import type { Program } from '../program.ts';

export function addUp(program: Program): void {
  program
    .command('up')
    .description(
      'start Kafka, Redis, InfluxDB and then ingest, forecaster and gateway on this machine, all on 127.0.0.1',
    )
    .option('--detach', 'leave them running and return')
    .option('--folder <path>', 'where their data and logs are kept', UP_FOLDER)
    .option('--kafka-port <port>', 'port of Kafka', Number, 9092)
    .option('--redis-port <port>', 'port of Redis', Number, 6379)
    .option('--influx-port <port>', 'port of InfluxDB', Number, 8086)
    .option('--gateway-port <port>', 'port of the dashboard', Number, 8080)
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
