// `npm start`: installs and compiles what is missing, then runs the main job in one process on the embedded default.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT } from './run.mjs';

prepare();
const child = spawn(process.execPath, [join(ROOT, 'bin', 'tideline.js'), 'demo', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
