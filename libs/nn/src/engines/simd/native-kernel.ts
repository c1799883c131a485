import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Kernel } from './kernel.ts';
import { assertLayout, StaleKernelError } from './layout.ts';

/** One of the instruction sets that the addon is compiled for and this processor has. */
export interface NativeKind {
  /** `avx512`, `avx2`, `sse2` or `neon`; with `_fused` the opt-in build whose multiply-add is one operation and whose bits are its own. */
  readonly name: string;
  readonly lanes: Kernel['lanes'];
}

interface Addon {
  readonly layout?: number;
  /** The widest vector first. */
  readonly kinds: readonly NativeKind[];
  createKernel(kind: number, memory: WebAssembly.Memory): Pick<Kernel, 'step' | 'run' | 'attach'>;
}

/** Compiled by `npm run build` from C where a C compiler is. */
const ADDON_FILE = fileURLToPath(new URL('../../kernel.node', import.meta.url));

/**
 * The kinds that run here, the widest first; none where the native kernel is not compiled, or for another machine. Throws StaleKernelError where it is of other
 * sources.
 */
export function nativeKinds(file: string = ADDON_FILE): readonly NativeKind[] {
  if (!existsSync(file)) return [];
  try {
    return loadAddon(file).kinds;
  } catch (error) {
    if (error instanceof StaleKernelError) throw error;
    return [];
  }
}

/**
 * The native build over `memory`, with the widest vectors of this processor unless `name` names a kind. Its bits are those of the WebAssembly build, except
 * for the `fused` kinds. Throws Error with the cure where it is not compiled or the processor lacks the kind, StaleKernelError where it
 * is of other sources.
 */
export function loadNativeKernel(
  memory: WebAssembly.Memory,
  options: { readonly name?: string; readonly fused?: boolean; readonly file?: string } = {},
): Kernel {
  const { name, fused = false, file = ADDON_FILE } = options;
  const addon = loadAddon(file);
  const index = addon.kinds.findIndex((kind) => (name === undefined ? isFused(kind) === fused : kind.name === name));
  if (index < 0) {
    const known = addon.kinds.map((kind) => kind.name).join(', ');
    throw new Error(`This processor runs no ${name ?? 'fused'} kernel, but these: ${known}.`);
  }
  const kind = addon.kinds[index];
  const { step, run, attach } = addon.createKernel(index, memory);
  return { name: isFused(kind) ? 'simd-native-fused' : 'simd-native', lanes: kind.lanes, step, run, attach };
}

function isFused({ name }: NativeKind): boolean {
  return name.endsWith('_fused');
}

function loadAddon(file: string): Addon {
  const addon = requireAddon(file);
  assertLayout('native kernel', addon.layout);
  return addon;
}

function requireAddon(file: string): Addon {
  try {
    return createRequire(import.meta.url)(file) as Addon;
  } catch (cause) {
    throw new Error("The native kernel is not compiled: run 'npm run build' where a C compiler is.", { cause });
  }
}
