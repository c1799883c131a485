import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { redactUrl } from '@tideline/runtime';

const RUNTIME = import.meta.resolve('@tideline/runtime');

function logged(statement: string): { readonly stdout: string; readonly stderr: string } {
  const program = `import { createLogger } from '${RUNTIME}'; const log = createLogger({ service: 'probe', level: 'info' }); ${statement}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
}

test('logs are JSON lines on stderr with the service and the level by name; stdout stays free for results', () => {
  const { stdout, stderr } = logged(`log.info({ shard: 'ticks-0' }, 'Ready.'); log.debug('Not at this level.');`);
  assert.equal(stdout, '');
  const [line, ...rest] = stderr.trim().split('\n');
  assert.deepEqual(rest, []);
  const { level, service, shard, msg } = JSON.parse(line);
  assert.deepEqual(
    { level, service, shard, msg },
    { level: 'info', service: 'probe', shard: 'ticks-0', msg: 'Ready.' },
  );
});

test('no secret reaches the log: fields by their name, credentials in any address', () => {
  const { stderr } = logged(
    `log.info({ password: 'hunter2', options: { token: 'hunter2' }, url: 'redis://me:hunter2@host:6379/0' }, 'Connecting.');` +
      `log.warn({ err: new Error('cannot reach redis://me:hunter2@host') }, 'Failed.');`,
  );
  assert.doesNotMatch(stderr, /hunter2/);
  assert.match(stderr, /redis:\/\/\[redacted\]@host:6379/);
});

test('an address without credentials stays as it is', () => {
  assert.equal(redactUrl('http://127.0.0.1:8086/a@b'), 'http://127.0.0.1:8086/a@b');
  assert.equal(redactUrl('redis://:se@cret@host and a@b'), 'redis://[redacted]@host and a@b');
});
