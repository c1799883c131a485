// `npm start`: installs and compiles what is missing, then runs the main job in one process on the embedded default.
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, runProgram } from './run.mjs';

prepare();
runProgram(join(ROOT, 'bin', 'tideline.js'), ['demo', ...process.argv.slice(2)]);
