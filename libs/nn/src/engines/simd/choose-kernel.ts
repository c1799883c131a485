import { type Kernel, loadWasmKernel } from './kernel.ts';
import { loadNativeKernel, nativeKinds } from './native-kernel.ts';

/**
 * `best`: the native kernel where it is compiled, else the WebAssembly one; the bits are the same. `native-fused`: the native one whose multiply-add is one
 * operation, for its speed; its bits are its own. Or a function that loads another.
 */
export type KernelChoice = 'best' | 'wasm' | 'native' | 'native-fused' | ((memory: WebAssembly.Memory) => Kernel);

/** Throws Error with the cure where the kernel is not compiled, StaleKernelError where it is of other sources: then no other one takes its place. */
export function loadKernel(choice: KernelChoice, memory: WebAssembly.Memory): Kernel {
  if (typeof choice === 'function') return choice(memory);
  switch (choice) {
    case 'best':
      return nativeKinds().length > 0 ? loadNativeKernel(memory) : loadWasmKernel(memory);
    case 'wasm':
      return loadWasmKernel(memory);
    case 'native':
      return loadNativeKernel(memory);
    case 'native-fused':
      return loadNativeKernel(memory, { fused: true });
  }
}
