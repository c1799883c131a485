// `npm run sim`: compiles what is missing, then runs the deterministic simulation with the arguments given.
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, runProgram } from './run.mjs';

prepare();
runProgram(join(ROOT, 'test', 'dist', 'simulation', 'main.js'), process.argv.slice(2));
