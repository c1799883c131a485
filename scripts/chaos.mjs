// `npm run chaos -- --kills 20`: every fault on real servers of its own; test/chaos says which.
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, runProgram } from './run.mjs';

prepare();
runProgram(join(ROOT, 'test', 'dist', 'chaos', 'main.js'), process.argv.slice(2));
