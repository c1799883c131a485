import { Command } from '@commander-js/extra-typings';
import type { ServiceSignals } from '@tideline/runtime';
import type { Environment } from './addresses.ts';

/** The command tree with what its commands share. */
export class Program extends Command {
  readonly env: Environment;

  constructor(env: Environment) {
    super('tideline');
    this.env = env;
  }

  /** Runs a command with the two signals of a service and its exit codes. */
  async run(name: string, main: (signals: ServiceSignals) => Promise<void>): Promise<void> {
    const { runService } = await import('@tideline/runtime');
    return runService({ name }, main);
  }
}
