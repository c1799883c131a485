/**
 * Starts the servers that the environment does not name, runs a command with their addresses, stops them, and exits as the command did:
 * `node test/dist/stack/main.js -- node --test …`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, SERVER_NAMES, type ServerName, startStack } from '@tideline/native';
import { ADDRESS_VARIABLES } from './index.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

async function main(): Promise<number> {
  const split = process.argv.indexOf('--');
  const [command, ...args] = split < 0 ? [] : process.argv.slice(split + 1);
  if (command === undefined) {
    process.stderr.write('Usage: node test/dist/stack/main.js -- COMMAND [ARGUMENT…]\n');
    return 64;
  }
  const servers = SERVER_NAMES.filter((name) => !process.env[ADDRESS_VARIABLES[name]]);
  if (servers.length === 0) return runCommand(command, args, {});
  await ensureInstalled({ servers, onProgress: (message) => process.stderr.write(`${message}\n`) });
  const folder = await mkdtemp(join(tmpdir(), 'tideline-test-'));
  try {
    await using stack = await startStack({ folder, servers });
    return await runCommand(command, args, stack.addresses);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the command to its end; signals go to it, so that the servers are stopped after it. */
function runCommand(
  command: string,
  args: readonly string[],
  addresses: Partial<Record<ServerName, string>>,
): Promise<number> {
  const added = SERVER_NAMES.flatMap((name) => {
    const address = addresses[name];
    return address === undefined ? [] : [[ADDRESS_VARIABLES[name], address]];
  });
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...Object.fromEntries(added) } });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`${command} cannot be started: ${cause.message}`, { cause })));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

process.exitCode = await main();
