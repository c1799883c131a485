import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep } from '@tideline/runtime';

const PROGRAM = fileURLToPath(new URL('./service-program.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program; `react(child, line)` sees every line of its output. */
async function run(args: readonly string[], react: (child: ChildProcess, line: string) => void): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const deadline = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (part: Buffer) => {
    said.stdout += part;
    for (const line of String(part).trim().split('\n')) react(child, line);
  });
  child.stderr.on('data', (part: Buffer) => {
    said.stderr += part;
  });
  const [code] = await once(child, 'close');
  clearTimeout(deadline);
  return { code, ...said };
}

test('the first signal drains, and a service that then ends has ended well', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const ended = await run(['willing'], (child, line) => {
      if (line === 'ready') child.kill(signal);
    });
    assert.deepEqual([ended.code, ended.stdout], [0, 'ready\ndrain\nclosed\n'], ended.stderr);
  }
});

test('the second signal aborts', async () => {
  const { code, stdout } = await run(['stubborn'], (child, line) => {
    if (line === 'ready' || line === 'drain') child.kill('SIGTERM');
  });
  assert.deepEqual([code, stdout], [0, 'ready\ndrain\nabort\nclosed\n']);
});

test('three quarters of the grace period after the first signal the service is aborted', async () => {
  const { code, stdout } = await run(['stubborn', '200'], (child, line) => {
    if (line === 'ready') child.kill('SIGTERM');
  });
  assert.deepEqual([code, stdout], [0, 'ready\ndrain\nabort\nclosed\n']);
});

test('exit codes say what is wrong: 78 the configuration, 69 a server, 1 a defect with its stack', async () => {
  const nothing = (): void => {};
  const configuration = await run(['configuration'], nothing);
  assert.equal(configuration.code, 78);
  assert.match(configuration.stderr, /^tideline probe: .*1 problem.*\n.*TIDELINE_PORT = 'x': must be a port\n$/);
  const unavailable = await run(['unavailable'], nothing);
  assert.equal(unavailable.code, 69);
  assert.equal(unavailable.stderr, 'tideline probe: No Redis answers at 127.0.0.1:1. Start it.\n');
  const defect = await run(['defect'], nothing);
  assert.equal(defect.code, 1);
  assert.match(defect.stderr, /This was not foreseen\.\n {4}at /);
});

test('a rejection that nobody handles ends the process and is told', async () => {
  const { code, stderr } = await run(['rejection'], () => {});
  assert.equal(code, 1);
  assert.match(stderr, /Nobody waited for this\./);
});

test('sleep ends at its time or at the abort, and never rejects', async () => {
  const stop = new AbortController();
  const long = sleep(60_000, stop.signal);
  await sleep(1, stop.signal);
  stop.abort();
  await long;
  await sleep(60_000, stop.signal);
});

test('a service that has ended ends its process, whatever a library left open, and says what it was', async () => {
  const ended = await run(['forgetful'], (child, line) => {
    if (line === 'ready') child.kill('SIGTERM');
  });
  assert.deepEqual([ended.code, ended.stdout], [0, 'ready\ndrain\nclosed\n'], ended.stderr);
  assert.match(ended.stderr, /still open: .*Timeout/);
});
