// `npm test`: installs and compiles what is missing, brings up the real servers, runs everything. Arguments name single test files (below test/, .ts).
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { prepare } from './prepare.mjs';
import { ROOT, run, runProgram } from './run.mjs';

prepare();
run(process.execPath, [join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '.']);
ensureChromium();
if (existsSync(join(ROOT, 'scripts', 'setup-tensorflow.mjs')))
  run(process.execPath, [join(ROOT, 'scripts', 'setup-tensorflow.mjs')]);
run(process.execPath, [join(ROOT, 'scripts', 'setup-onnx.mjs'), '--minilm']);

const compiled = join(ROOT, 'test', 'dist');
const named = process.argv
  .slice(2)
  .map((path) => join(compiled, relative(join(ROOT, 'test'), join(ROOT, path)).replace(/\.ts$/, '.js')));
const files = named.length > 0 ? named : testFiles();
// Files that load both cores (servers, browsers) keep out of each other's way: two at a time on two cores.
const args = ['--', process.execPath, '--test', '--test-concurrency=2', '--test-reporter=spec', ...files];
const child = runProgram(join(compiled, 'stack', 'main.js'), args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
// The failures stand behind the sums, however many there are.
const sums = new Map();
let rest = '';
child.stdout.on('data', (part) => {
  process.stdout.write(part);
  const lines = (rest + part).split('\n');
  rest = lines.pop();
  for (const line of lines) {
    const [, name, sum] = /^\S+ (pass|fail|skipped) (\d+)$/.exec(line) ?? [];
    if (name !== undefined) sums.set(name, sum);
  }
});
child.on('close', () => {
  const count = (name) => sums.get(name) ?? 0;
  process.stdout.write(`${count('pass')} passed, ${count('fail')} failed, ${count('skipped')} skipped\n`);
});

/** Test files whose sources exist: a compiled file of a deleted test does not run. */
function testFiles() {
  return readdirSync(join(ROOT, 'test'), { recursive: true })
    .filter((path) => path.endsWith('.test.ts') && !path.startsWith('dist'))
    .sort()
    .map((path) => join(compiled, path.replace(/\.ts$/, '.js')));
}

/** The browser tests need Debian's Chromium. */
function ensureChromium() {
  if (existsSync('/usr/bin/chromium') || process.env.TIDELINE_TEST_CHROMIUM) return;
  process.stderr.write('Installing chromium ...\n');
  const isRoot = process.getuid?.() === 0;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env }).status === 0;
  if (
    isRoot &&
    apt('update', '-qq') &&
    apt('install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core')
  )
    return;
  process.stderr.write(
    "Chromium is missing and cannot be installed here: install it ('apt-get install chromium') or name it with TIDELINE_TEST_CHROMIUM.\n",
  );
  process.exit(1);
}
