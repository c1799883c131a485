// Compiles libs/nn's kernels: AssemblyScript to WebAssembly, always; C to a Node addon where a C compiler is. Part of `npm run build`;
// each is skipped while its result is of these very sources: a file beside it keeps their digest.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT, run } from './run.mjs';

const SELF = fileURLToPath(import.meta.url);
const KERNEL = join(ROOT, 'libs', 'nn', 'kernel');
const DIST = join(ROOT, 'libs', 'nn', 'dist');
const NATIVE = join(DIST, 'kernel.node');
/** What is compiled to WebAssembly: the engine's steps, and the products of training. */
const MODULES = [
  { name: 'SIMD kernel', folder: 'assembly', entry: 'kernel.ts', wasm: 'kernel.wasm' },
  { name: 'training kernel', folder: join('assembly', 'training'), entry: 'products.ts', wasm: 'training.wasm' },
];
// No contraction, no relaxed SIMD: the bits are the same on every machine. The memory is the caller's.
const ASC_OPTIONS = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'],
  ...['--uncheckedBehavior', 'always', '--memoryBase', '0'],
];
// Never -ffast-math, and no contraction: these bits are the WebAssembly kernel's.
const CC_OPTIONS = ['-std=c11', '-O3', '-fPIC', '-ffp-contract=off', '-fno-math-errno', '-fvisibility=hidden'];
const CC_WARNINGS = ['-Wall', '-Wextra'];
/** kernel.c is compiled once for each of these; the addon chooses one that the processor has. */
const INSTRUCTION_SETS = {
  x64: {
    sse2: ['-msse2'],
    avx2: ['-mavx2'],
    avx2_fused: ['-mavx2', '-mfma', '-DFUSED'],
    avx512: ['-mavx512f'],
    avx512_fused: ['-mavx512f', '-DFUSED'],
  },
  arm64: { neon: [], neon_fused: ['-DFUSED'] },
};

export function buildKernels() {
  mkdirSync(DIST, { recursive: true });
  MODULES.forEach(buildWasm);
  buildNative();
}

function buildWasm({ name, folder, entry, wasm }) {
  const sources = join(KERNEL, folder);
  const built = join(DIST, wasm);
  const digest = digestOf([sources, SELF]);
  if (isOf(built, digest)) return;
  process.stderr.write(`Compiling the ${name} ...\n`);
  const asc = join(ROOT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
  const draft = `${built}.${process.pid}`;
  run(process.execPath, [asc, join(sources, entry), '-o', draft, ...ASC_OPTIONS]);
  renameSync(draft, built);
  mark(built, digest);
}

/** The native kernel is an option: without it the WebAssembly one serves, so nothing here fails the build. */
function buildNative() {
  const sources = join(KERNEL, 'native');
  const digest = digestOf([sources, SELF]);
  if (isOf(NATIVE, digest)) return;
  const sets = INSTRUCTION_SETS[process.arch];
  const compiler = process.platform === 'win32' || sets === undefined ? undefined : compilerOf(process.env);
  // An addon of older sources must not serve: it would read another program.
  rmSync(NATIVE, { force: true });
  if (compiler === undefined) {
    process.stderr.write('No C compiler (CC, cc, gcc, clang): the WebAssembly kernel serves.\n');
    return;
  }
  process.stderr.write(`Compiling the native kernel with ${compiler} ...\n`);
  const folder = mkdtempSync(join(tmpdir(), 'tideline-kernel-'));
  try {
    const failure = compile(compiler, sources, sets, folder);
    if (failure === '') mark(NATIVE, digest);
    else process.stderr.write(`${failure}\nThe native kernel did not compile: the WebAssembly one serves.\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What went wrong, '' if nothing did. */
function compile(compiler, sources, sets, folder) {
  const headers = headersFolder();
  if (headers === undefined) return "The package 'node-api-headers' is not installed: run 'npm ci'.";
  const objects = [];
  for (const [name, options] of Object.entries(sets)) {
    const object = join(folder, `${name}.o`);
    const failure = cc(compiler, [...options, `-DKERNEL=${name}`, '-c', join(sources, 'kernel.c'), '-o', object]);
    if (failure !== '') return failure;
    objects.push(object);
  }
  // macOS finds Node's functions when the addon is loaded only if it is told so.
  const shared = process.platform === 'darwin' ? ['-shared', '-undefined', 'dynamic_lookup'] : ['-shared'];
  const draft = `${NATIVE}.${process.pid}`;
  const failure = cc(compiler, [...shared, `-I${headers}`, join(sources, 'addon.c'), ...objects, '-o', draft]);
  if (failure === '') renameSync(draft, NATIVE);
  return failure;
}

function cc(compiler, options) {
  const result = spawnSync(compiler, [...CC_OPTIONS, ...CC_WARNINGS, ...options], { cwd: ROOT, encoding: 'utf8' });
  if (result.error) return result.error.message;
  process.stderr.write(result.stderr);
  return result.status === 0 ? '' : `'${compiler} ${options.join(' ')}' ended with ${result.status ?? result.signal}.`;
}

function headersFolder() {
  try {
    return createRequire(import.meta.url)('node-api-headers').include_dir;
  } catch {
    return undefined;
  }
}

function compilerOf({ CC }) {
  const names = [CC, 'cc', 'gcc', 'clang'].filter((name) => name);
  return names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

/** Of the names and contents of files, and of the files in folders, one level deep. */
function digestOf(paths) {
  const files = paths.flatMap((path) =>
    statSync(path).isDirectory()
      ? readdirSync(path)
          .sort()
          .map((name) => join(path, name))
      : [path],
  );
  const hash = createHash('sha256');
  for (const file of files.filter((path) => statSync(path).isFile()))
    hash.update(`${basename(file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** Whether `built` is what was built of the sources with this digest. Times do not tell: a checkout, a copy or a container sets them as it likes. */
function isOf(built, digest) {
  return (
    existsSync(built) && existsSync(markOf(built)) && readFileSync(markOf(built), 'utf8') === markText(built, digest)
  );
}

function mark(built, digest) {
  writeFileSync(markOf(built), markText(built, digest));
}

function markOf(built) {
  return `${built}.sources`;
}

function markText(built, digest) {
  return `${digest} ${digestOf([built])}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) buildKernels();
