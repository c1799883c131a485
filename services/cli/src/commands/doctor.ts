import type { Program } from '../program.ts';

export function addDoctor(program: Program): void {
  program
    .command('doctor')
    .description('check every connection and the models, and say what to fix')
    .option('--json', 'print one JSON line')
    .action(({ json }) =>
      program.run('doctor', async () => (await import('./doctor-checks.ts')).doctor(program.env, json === true)),
    );
}
