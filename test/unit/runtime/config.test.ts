import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationError, parseConfig } from '@tideline/runtime';
import { z } from 'zod';

const SCHEMA = z.object({
  TIDELINE_PORT: z.coerce.number().int().min(1, 'must be a port, 1 to 65535').default(8080),
  TIDELINE_URL: z.url({ protocol: /^redis$/, error: "must be like 'redis://127.0.0.1:6379'" }),
  TIDELINE_API_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
});

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseConfig<unknown>(SCHEMA, env);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    assert.equal(error.code, 'CONFIG_INVALID');
    for (const problem of error.problems) assert.ok(error.message.includes(problem));
    return error.problems;
  }
  return [];
}

test('a configuration is read with its defaults, an empty variable counts as absent, and nobody can change it', () => {
  const config = parseConfig<unknown>(SCHEMA, {
    TIDELINE_URL: 'redis://127.0.0.1:6379',
    TIDELINE_PORT: '',
    OTHER: 'x',
  });
  assert.deepEqual(config, { TIDELINE_URL: 'redis://127.0.0.1:6379', TIDELINE_PORT: 8080 });
  assert.ok(Object.isFrozen(config));
});

test('all problems are told at once, each with the variable, its value and the cure', () => {
  assert.deepEqual(problemsOf({ TIDELINE_PORT: '0', TIDELINE_URL: 'localhost', TIDELINE_API_TOKEN: 'abc' }), [
    "TIDELINE_PORT = '0': must be a port, 1 to 65535",
    "TIDELINE_URL = 'localhost': must be like 'redis://127.0.0.1:6379'",
    'TIDELINE_API_TOKEN (value hidden): must have at least 16 characters',
  ]);
});

test('a missing variable is told as not set, and credentials in an address are not shown', () => {
  assert.match(problemsOf({})[0], /^TIDELINE_URL \(not set\): /);
  const [problem] = problemsOf({ TIDELINE_URL: 'http://someone:hunter2@host' });
  assert.doesNotMatch(problem, /hunter2|someone/);
});
