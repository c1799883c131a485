// Compiles libs/nn's kernels: AssemblyScript to WebAssembly, always. Part of `npm run build`; skipped while the result is newer than its sources.
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, run } from './run.mjs';

const SOURCES = join(ROOT, 'libs', 'nn', 'kernel', 'assembly');
const WASM = join(ROOT, 'libs', 'nn', 'dist', 'kernel.wasm');
// No contraction, no relaxed SIMD: the bits are the same on every machine. The memory is the engine's.
const ASC_OPTIONS = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'],
  ...['--uncheckedBehavior', 'always', '--memoryBase', '0'],
];

export function buildKernels() {
  if (isNewer(WASM, SOURCES)) return;
  process.stderr.write('Compiling the SIMD kernel ...\n');
  mkdirSync(dirname(WASM), { recursive: true });
  const asc = join(ROOT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
  const draft = `${WASM}.${process.pid}`;
  run(process.execPath, [asc, join(SOURCES, 'kernel.ts'), '-o', draft, ...ASC_OPTIONS]);
  renameSync(draft, WASM);
}

function isNewer(built, sources) {
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  return readdirSync(sources).every((name) => statSync(join(sources, name)).mtimeMs < mtimeMs);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) buildKernels();
