/** The rules of STYLE.md that a machine can check: arrows between packages, sizes, names. Nobody has to nag in review. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const LINE_CHARACTERS_MAX = 160;
const BLOB_BYTES_MAX = 2_000_000;

/** What each package may import of ours. A package that is not here may import nothing of ours. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'libs/pipeline': [],
  'libs/nn': [],
  'libs/runtime': [],
  'libs/streams': ['pipeline', 'nn'],
  'libs/adapters': ['pipeline'],
  'infra/native': [],
  'services/ingest': ['pipeline', 'streams', 'nn', 'adapters', 'runtime'],
  'services/forecaster': ['pipeline', 'streams', 'nn', 'adapters', 'runtime'],
  'services/trainer': ['pipeline', 'streams', 'nn', 'adapters', 'runtime'],
  'services/gateway': ['pipeline', 'streams', 'nn', 'adapters', 'runtime'],
  // The one composition root: it starts the services in one process or one by one.
  'services/cli': [
    'pipeline',
    'streams',
    'nn',
    'adapters',
    'runtime',
    'ingest',
    'forecaster',
    'trainer',
    'gateway',
    'native',
  ],
};

/** The core sees no clock, chance, timer, socket, file or environment: they are passed in. */
const PURE = [
  'libs/pipeline/src/',
  'libs/streams/src/ticks/',
  'libs/streams/src/calls/',
  'libs/streams/src/features/',
  'libs/nn/src/cells/',
];
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(Timeout|Interval|Immediate)\(|\bprocess\.|from 'node:(fs|net|http|timers)/;
const BANNED_NAMES = /(^|-)(util|utils|helper|helpers|manager|common|data|info)(-|$)/;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

const TRACKED = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => path !== '' && isThere(path));
const SOURCES: readonly Source[] = TRACKED.filter((path) => path.endsWith('.ts')).map((path) => {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, lines: text.split('\n') };
});

function isThere(path: string): boolean {
  try {
    readFileSync(join(ROOT, path));
    return true;
  } catch {
    return false;
  }
}

function packageOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

function offenders(find: (source: Source) => readonly string[], sources = SOURCES): string[] {
  return sources.flatMap((source) => find(source).map((what) => `${source.path}: ${what}`));
}

test('imports follow the arrows of ARCHITECTURE.md', () => {
  const wrong = offenders(({ path, text }) => {
    const allowed = ARROWS[packageOf(path)];
    if (!allowed) return path.startsWith('test/') ? [] : ['is in no package that ARROWS names'];
    const imports = [...text.matchAll(/from '@tideline\/([a-z]+)/g)].map((match) => match[1]);
    return imports.filter((name) => !allowed.includes(name)).map((name) => `imports @tideline/${name}`);
  });
  assert.deepEqual(wrong, []);
});

test('no import reaches into another package by path', () => {
  const wrong = offenders(({ path, text }) => {
    const depth = path.split('/').length - 2; // folders below the package's
    return [...text.matchAll(/from '((?:\.\.\/)+)/g)]
      .filter((match) => match[1].length / 3 >= depth && !path.startsWith('test/'))
      .map((match) => `imports ${match[0]}`);
  });
  assert.deepEqual(wrong, []);
});

test('relative imports end in .ts and nothing is exported by default or by star', () => {
  const wrong = offenders(({ text }) => [
    ...[...text.matchAll(/from '(\.[^']*)'/g)].filter((match) => !match[1].endsWith('.ts')).map((match) => match[0]),
    ...[...text.matchAll(/^export (default|\*)/gm)].map((match) => match[0]),
  ]);
  // AssemblyScript's compiler adds the ending itself and finds no file with one.
  assert.deepEqual(
    wrong.filter((what) => !what.startsWith('libs/nn/kernel/assembly/')),
    [],
  );
});

test('files and lines keep to their sizes', () => {
  const wrong = offenders(({ lines }) => [
    ...(lines.length > FILE_LINES_MAX ? [`${lines.length} lines, at most ${FILE_LINES_MAX}`] : []),
    ...lines.flatMap((line, i) =>
      line.length > LINE_CHARACTERS_MAX ? [`line ${i + 1} has ${line.length} characters`] : [],
    ),
  ]);
  assert.deepEqual(wrong, []);
});

test('functions keep to their size', () => {
  const wrong = offenders(
    ({ lines }) => {
      const found: string[] = [];
      lines.forEach((line, start) => {
        // Formatted code closes a function at the indentation that opened it.
        const match =
          /^( *)(?:export )?(?:async )?(?:function\*? |(?:static |readonly )?#?\w+(?:<.*>)?\(.*\).* \{$)/.exec(line);
        if (!match || /^\s*(?:if|for|while|switch|return|test|describe|it)\b/.test(line)) return;
        const end = lines.findIndex((other, i) => i > start && other.startsWith(`${match[1]}}`));
        if (end - start + 1 > FUNCTION_LINES_MAX)
          found.push(`line ${start + 1} opens ${end - start + 1} lines, at most ${FUNCTION_LINES_MAX}`);
      });
      return found;
    },
    SOURCES.filter(({ path }) => !path.startsWith('test/')),
  );
  assert.deepEqual(wrong, []);
});

test('the core sees no clock, chance, timer, file, socket or environment', () => {
  const core = SOURCES.filter(({ path }) => PURE.some((folder) => path.startsWith(folder)));
  assert(core.length > 0);
  const wrong = offenders(
    ({ lines }) =>
      lines.flatMap((line, i) =>
        IMPURE.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line) ? [`line ${i + 1}: ${line.trim()}`] : [],
      ),
    core,
  );
  assert.deepEqual(wrong, []);
});

// Setting a variable that is not set (`??=`) for a native library, which reads it when it loads, is no reading.
test('only a main reads the environment (and the starter of native servers, which hands it on)', () => {
  const readers = SOURCES.filter(({ path }) => !/^(test|infra\/native)\/|\/main\.ts$/.test(path));
  const wrong = offenders(
    ({ lines }) =>
      lines.flatMap((line, i) =>
        /\bprocess\.env\b(?!\.\w+ \?\?=)/.test(line) && !/^\s*(\*|\/\/)/.test(line) ? [`line ${i + 1}`] : [],
      ),
    readers,
  );
  assert.deepEqual(wrong, []);
});

test('files are kebab-case nouns of the field', () => {
  const wrong = offenders(({ path }) => {
    const name = basename(path)
      .replace(/(\.test)?\.ts$/, '')
      .replace(/\.d$/, '');
    if (!/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(name)) return ['is not kebab-case'];
    return BANNED_NAMES.test(name) ? ['has a banned name'] : [];
  });
  assert.deepEqual(wrong, []);
});

test('nothing is left behind: no skipped or focused test, no debugger, no note without an issue', () => {
  const wrong = offenders(({ path, lines }) =>
    lines.flatMap((line, i) =>
      path !== 'test/tidy.test.ts' &&
      /\b(test|it|describe)\.(skip|only|todo)\b|\bskip: true|\bdebugger;|\b(FIXME|XXX)\b|\bTODO(?!\(#\d+\))/.test(line)
        ? [`line ${i + 1}: ${line.trim()}`]
        : [],
    ),
  );
  assert.deepEqual(wrong, []);
});

test('no large blob is committed', () => {
  const wrong = TRACKED.filter((path) => readFileSync(join(ROOT, path)).length > BLOB_BYTES_MAX);
  assert.deepEqual(wrong, []);
});
