import { readFileSync } from 'node:fs';
import { assertLayout } from './layout.ts';

/** A build of the fused kernel over one memory. All but `simd-native-fused` have the same bits (libs/nn/kernel/assembly/kernel.ts says the numerics). */
export interface Kernel {
  readonly name: 'simd-wasm' | 'simd-native' | 'simd-native-fused';
  /** float32 values a vector: the block of units that the packed weights are made for. */
  readonly lanes: 4 | 8 | 16;
  /** One step of the program's rows 0..n-1. `program` is an address in the memory. */
  step(program: number, n: number): void;
  /** n steps of the program's first slot. */
  run(program: number, n: number): void;
  /** To be called when the memory has grown: its buffer is another one. */
  attach(): void;
}

/** Compiled by `npm run build` from AssemblyScript. */
const KERNEL_FILE = new URL('../../kernel.wasm', import.meta.url);

interface WasmExports extends Pick<Kernel, 'step' | 'run'> {
  layout?(): number;
}

/** The portable build. Throws Error with the cure where it is not compiled, StaleKernelError where it is of other sources. */
export function loadWasmKernel(memory: WebAssembly.Memory, file: string | URL = KERNEL_FILE): Kernel {
  const exports = new WebAssembly.Instance(wasmModule(file), { env: { memory } }).exports as unknown as WasmExports;
  assertLayout('SIMD kernel', exports.layout?.());
  const { step, run } = exports;
  return { name: 'simd-wasm', lanes: 4, step, run, attach: () => undefined };
}

function wasmModule(file: string | URL): WebAssembly.Module {
  try {
    return new WebAssembly.Module(readFileSync(file));
  } catch (cause) {
    throw new Error("The SIMD kernel is not compiled: run 'npm run build' in Tideline's folder.", { cause });
  }
}
