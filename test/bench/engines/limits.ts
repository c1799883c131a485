/** What the machine could do at most, one thread: multiply-adds on registers, and reading memory. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './peers.ts';
import { createWasmPeak, type WasmPeak } from './wasm-peak.ts';

const CONTRACTIONS = ['fast', 'off'] as const;
const COMPILERS = ['cc', 'gcc', 'clang'] as const;

/** GFLOP/s; null where it could not be measured. */
export interface Peaks {
  /** Fused multiply-add, the widest vectors. */
  readonly fma: number | null;
  /** Multiply, then add, the widest vectors. */
  readonly mulAdd: number | null;
  /** Multiply, then add, WebAssembly's 128 bits. */
  readonly wasm: number | null;
}

/** Loops that run for some milliseconds at the machine's limits. */
export class Limits implements AsyncDisposable {
  readonly #native: readonly NativeLoops[];
  readonly #wasm: WasmPeak | null;
  /** Why a limit is not measured. */
  readonly reasons: readonly string[];

  constructor(folder: string) {
    const reasons: string[] = [];
    mkdirSync(folder, { recursive: true });
    this.#native = compileNative(folder, reasons);
    this.#wasm = compileWasm(folder, reasons);
    this.reasons = reasons;
  }

  async peaks(ms: number): Promise<Peaks> {
    const [fused, apart] = this.#native;
    return {
      fma: fused ? await fused.ask(`peak ${ms}`) : null,
      mulAdd: apart ? await apart.ask(`peak ${ms}`) : null,
      wasm: this.#wasm?.(ms) ?? null,
    };
  }

  /** GB/s of reading `bytes` over and over: from the cache that holds them, or from memory. Null without a compiler. */
  async readRate(bytes: number, ms: number): Promise<number | null> {
    return (await this.#native[0]?.ask(`read ${Math.round(bytes)} ${ms}`)) ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const loops of this.#native) loops.end();
  }
}

class NativeLoops {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string) {
    this.#child = spawn(path, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error(`${path} has no output.`);
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<number> {
    this.#child.stdin?.write(`${line}\n`);
    return Number((await this.#lines.next()).value);
  }

  /** Its loop ends with its input. */
  end(): void {
    this.#child.stdin?.end();
  }
}

/** The loops with and without fused multiply-adds; none where there is no compiler. */
function compileNative(folder: string, reasons: string[]): NativeLoops[] {
  const source = join(ROOT, 'test', 'bench', 'engines', 'peak.c');
  const compiler = COMPILERS.find((name) => spawnSync(name, ['--version']).status === 0);
  if (compiler === undefined) {
    reasons.push(`The processor's peak and the memory's rate are not measured: there is no C compiler (${COMPILERS}).`);
    return [];
  }
  const paths = CONTRACTIONS.map((contraction) => ({ contraction, path: join(folder, `peak-${contraction}`) }));
  for (const { contraction, path } of paths) {
    const args = ['-O3', '-march=native', `-ffp-contract=${contraction}`, source, '-o', path];
    const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
    if (status === 0) continue;
    reasons.push(`The processor's peak is not measured: ${stderr.trim().split('\n').at(-1)}`);
    return [];
  }
  return paths.map(({ path }) => new NativeLoops(path));
}

function compileWasm(folder: string, reasons: string[]): WasmPeak | null {
  try {
    return createWasmPeak(folder);
  } catch (error) {
    reasons.push(`WebAssembly's ceiling is not measured: ${String(error)}`);
    return null;
  }
}
