// `npm run sim`: compiles what is missing, then runs the deterministic simulation with the arguments given.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT } from './run.mjs';

prepare();
const program = join(ROOT, 'test', 'dist', 'simulation', 'main.js');
const child = spawn(process.execPath, [program, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
