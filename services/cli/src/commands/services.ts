import type { ServiceSignals } from '@tideline/runtime';
import { type Environment, withAddresses } from '../addresses.ts';
import type { Program } from '../program.ts';

const CONFIGURATION = `
Configured by the environment: the variables TIDELINE_* of the README's 'Configuration'. Addresses that are not set are those of
'tideline up' in this folder, else the servers' usual ports on this machine.
`;

type Run = (env: Environment, signals: ServiceSignals) => Promise<void>;

/** One service each, configured by the environment (`TIDELINE_*`, see README). */
export function addIngest(program: Program): void {
  addService(program, 'ingest', 'run ingest: Kafka to the shard logs', async () => {
    return (await import('@tideline/ingest')).runIngest;
  });
}

export function addForecaster(program: Program): void {
  addService(program, 'forecaster', 'run a forecaster: shard logs to forecasts in InfluxDB', async () => {
    return (await import('@tideline/forecaster')).runForecaster;
  });
}

export function addGateway(program: Program): void {
  addService(program, 'gateway', 'run the gateway: HTTP API, live feed, dashboard', async () => {
    return (await import('@tideline/gateway')).runGateway;
  });
}

function addService(program: Program, name: string, description: string, load: () => Promise<Run>): void {
  program
    .command(name)
    .description(description)
    .addHelpText('after', CONFIGURATION)
    .action(() =>
      program.run(name, async (signals) => {
        const run = await load();
        await run(await withAddresses(program.env), signals);
      }),
    );
}
