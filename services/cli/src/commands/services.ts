import { runForecaster } from '@tideline/forecaster';
import { runGateway } from '@tideline/gateway';
import { runIngest } from '@tideline/ingest';
import { withAddresses } from '../addresses.ts';
import type { Program } from '../program.ts';

const SERVICES = [
  { name: 'ingest', description: 'run ingest: Kafka to the shard logs', main: runIngest },
  { name: 'forecaster', description: 'run a forecaster: shard logs to forecasts in InfluxDB', main: runForecaster },
  { name: 'gateway', description: 'run the gateway: HTTP API, live feed, dashboard', main: runGateway },
] as const;

/** One service each, configured by the environment (`TIDELINE_*`, see README). */
export function addServices(program: Program): void {
  for (const { name, description, main } of SERVICES)
    program
      .command(name)
      .description(description)
      .action(() => program.run(name, async (signals) => main(await withAddresses(program.env), signals)));
}
