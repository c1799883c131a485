// Installs what is missing and builds: the first part of `npm start` and `npm test`. Runs before any dependency exists, so it uses Node alone.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE_MIN = [20, 19];

/** Runs a command; exits with its status where it fails. Its output goes to stderr: stdout belongs to the result. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], ...options });
  if (result.error) fail(`'${command}' could not be started (${result.error.message}). Install it and run this again.`);
  if (result.status !== 0)
    fail(`'${command} ${args.join(' ')}' ended with ${result.status ?? result.signal}.`, result.status ?? 1);
}

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
}

function fail(message, status = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(status);
}
