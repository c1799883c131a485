import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '@tideline/runtime';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('whatever starts a service starts it with the flags of Node, which nothing sets later', () => {
  assert.equal(read('bin/tideline.js').split('\n')[0], `#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}`);
  for (const name of ['Dockerfile', 'Dockerfile.gpu']) {
    const entry = /^ENTRYPOINT (\[.*\])$/m.exec(read(`infra/docker/${name}`))?.[1] ?? '[]';
    assert.deepEqual(JSON.parse(entry).slice(2), ['node', ...NODE_FLAGS, 'bin/tideline.js'], name);
  }
  assert.ok(read('scripts/run.mjs').includes(`const NODE_FLAGS = ['${NODE_FLAGS.join("', '")}'];`));
});
