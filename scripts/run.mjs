// What the scripts share. They run before any dependency exists, so they use Node alone.
import { spawn, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command; exits with its status where it fails. Its output goes to stderr: stdout belongs to the result. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], ...options });
  if (result.error) fail(`'${command}' could not be started (${result.error.message}). Install it and run this again.`);
  if (result.status !== 0)
    fail(`'${command} ${args.join(' ')}' ended with ${result.status ?? result.signal}.`, result.status ?? 1);
}

/** See libs/runtime/src/node-flags.ts, which is not compiled yet. */
const NODE_FLAGS = ['--single-threaded-gc'];

/** Runs a Node program in the foreground: its signals are ours, and we end with its status. */
export function runProgram(program, args, options = {}) {
  const child = spawn(process.execPath, [...NODE_FLAGS, program, ...args], { stdio: 'inherit', ...options });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`'${program}' could not be started (${error.message}).`));
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
  return child;
}

export function fail(message, status = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(status);
}
