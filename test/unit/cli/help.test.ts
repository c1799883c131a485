import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
/** Reads options; everything else is of what the commands run. */
const LIBRARIES = ['@commander-js/extra-typings', 'commander'];

for (const args of [['--help'], ['demo', '--help'], ['models', 'import', '--help']])
  test(`'tideline ${args.join(' ')}' loads no library but the one that reads options`, () => {
    const { status, stdout, urls } = run(args);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: tideline/);
    const libraries = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
    assert.deepEqual([...new Set(libraries)].sort(), LIBRARIES);
  });

test("'--help' lists every command, and each of them has a help of its own", () => {
  const [, commands = ''] = /^Commands:\n([\s\S]*?)\n\n/m.exec(run(['--help']).stdout) ?? [];
  const names = [...commands.matchAll(/^ {2}([a-z]+)(?= |$)/gm)].map(([, name]) => name);
  assert.deepEqual(names, [...new Set(names)]);
  assert.ok(names.includes('demo') && names.includes('bench'), names.join(', '));
  for (const name of names)
    if (name !== 'help') assert.match(run([name, '--help']).stdout, new RegExp(`^Usage: tideline ${name}`));
});

test('a number that is none, or out of its range, is refused before anything starts, with the range', () => {
  const wrong = [
    [['demo', '--port', 'abc'], /'abc' is invalid\. must be a whole number, from 0 to 65535/],
    [['demo', '--rate', '0'], /must be a number above 0/],
    [['up', '--kafka-port', '70000'], /from 0 to 65535/],
    [['bench', 'engines', '--widths', '8,0'], /from 1 to 65536/],
  ] as const;
  for (const [args, reason] of wrong) {
    const { status, stderr } = run(args);
    assert.equal(status, 1);
    assert.match(stderr, reason);
  }
});

/** Runs the command with the list of the scripts that Node loaded for it. */
function run(args: readonly string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly urls: readonly string[];
} {
  const folder = mkdtempSync(join(tmpdir(), 'tideline-help-'));
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin', 'tideline.js'), ...args], {
      env: { PATH: process.env.PATH, NODE_V8_COVERAGE: folder },
      encoding: 'utf8',
    });
    const urls = readdirSync(folder).flatMap((file) => {
      const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
        readonly result: readonly { readonly url: string }[];
      };
      return result.map(({ url }) => url);
    });
    return { status, stdout, stderr, urls };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
