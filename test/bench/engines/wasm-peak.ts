/** The ceiling of WebAssembly's 128 bits: multiply, then add (there is no fused form in WebAssembly SIMD), as V8 compiles it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const SUMS = [8, 10, 12, 13] as const;
const LANES = 4;
const FLOPS = 2;
const BLOCK = 20_000;
const TRIAL_MS = 20;

/** The part of WebAssembly's interface that is used: Node's types leave it to the DOM's. */
interface WasmInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
}

type Kernel = (iterations: number) => number;

/** GFLOP/s of the fastest of some loops, run for `ms`, by processor time. */
export type WasmPeak = (ms: number) => number;

/** Compiles the loops and keeps the fastest. Throws Error where AssemblyScript is not installed. */
export function createWasmPeak(folder: string): WasmPeak {
  const kernels = compile(folder);
  const trials = kernels.flatMap((kernel) => [rateOf(kernel, TRIAL_MS), rateOf(kernel, TRIAL_MS)]);
  const best = kernels[Math.floor(trials.indexOf(Math.max(...trials)) / 2)];
  return (ms) => rateOf(best, ms);
}

interface Counted {
  readonly run: Kernel;
  readonly sums: number;
}

function rateOf({ run, sums }: Counted, ms: number): number {
  const usedBefore = process.cpuUsage();
  const start = performance.now();
  let blocks = 0;
  let elapsedMs = 0;
  while (elapsedMs < ms) {
    run(BLOCK);
    blocks += 1;
    elapsedMs = performance.now() - start;
  }
  const { user, system } = process.cpuUsage(usedBefore);
  return (blocks * BLOCK * sums * LANES * FLOPS) / ((user + system) * 1e3);
}

function compile(folder: string): Counted[] {
  mkdirSync(folder, { recursive: true });
  const source = join(folder, 'wasm-peak.ts');
  const target = join(folder, 'wasm-peak.wasm');
  writeFileSync(source, SUMS.flatMap((sums) => [chained(sums), streamed(sums)]).join('\n'));
  const asc = join(dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')), 'bin', 'asc.js');
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', '1'];
  const { status, stderr } = spawnSync(process.execPath, [asc, source, '-o', target, ...options], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`AssemblyScript does not compile the ceiling's loops: ${stderr}`);
  const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: WasmInterface };
  const { exports } = new wasm.Instance(new wasm.Module(readFileSync(target)), { env: { abort: () => undefined } });
  return SUMS.flatMap((sums) =>
    ['chained', 'streamed'].map((form) => ({ sums, run: exports[`${form}${sums}`] as Kernel })),
  );
}

/** Sums in registers: a = a * x + y. */
function chained(sums: number): string {
  const step = each(sums, (n) => `a${n} = f32x4.add(f32x4.mul(a${n}, x), y);`);
  return loop({ name: 'chained', sums, step, next: '' });
}

/** Sums of products of a broadcast value with weights out of the first cache, as a matrix kernel adds them. */
function streamed(sums: number): string {
  const step = each(sums, (n) => `a${n} = f32x4.add(a${n}, f32x4.mul(x, v128.load(p, ${n * 16})));`);
  return loop({ name: 'streamed', sums, step, next: `p = 1024 + ((p - 1024 + ${sums * 16}) & 4095);` });
}

interface Loop {
  readonly name: string;
  readonly sums: number;
  readonly step: string;
  readonly next: string;
}

function loop({ name, sums, step, next }: Loop): string {
  return `export function ${name}${sums}(iterations: i32): f32 {
  let x = f32x4.splat(0.999);
  let y = f32x4.splat(0.001);
  let p: usize = 1024;
  ${each(sums, (n) => `let a${n} = f32x4.splat(${n + 1}.0);`)}
  for (let i = 0; i < iterations; i += 1) {
    ${step}
    ${next}
  }
  ${each(sums, (n) => `y = f32x4.add(y, a${n});`)}
  return f32x4.extract_lane(y, 0);
}
`;
}

function each(count: number, line: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => line(n)).join('\n    ');
}
