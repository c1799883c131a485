import type { Program } from '../program.ts';

export function addDoctor(program: Program): void {
  program
    .command('doctor')
    .description('check every connection and the models, and say what to fix')
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      "\nExit code 69 where a check fails. Addresses are those of the services: TIDELINE_*, else what 'tideline up' started here.",
    )
    .action(({ json }) =>
      program.run('doctor', async () => (await import('./doctor-checks.ts')).doctor(program.env, json === true)),
    );
}
