// Installs what is missing and builds: the first part of `npm start` and `npm test`. Runs before any dependency exists, so it uses Node alone.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildKernels } from './build-kernels.mjs';
import { fail, ROOT, run } from './run.mjs';

const NODE_MIN = [20, 19];

/** Installs the packages where node_modules is missing or older than the lock file, then compiles. */
export function prepare() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]))
    fail(`Node ${process.versions.node} is too old: Tideline needs ${NODE_MIN.join('.')} or newer.`);
  const lock = join(ROOT, 'package-lock.json');
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    process.stderr.write('Installing packages ...\n');
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  process.stderr.write('Compiling ...\n');
  run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
  buildKernels();
}
