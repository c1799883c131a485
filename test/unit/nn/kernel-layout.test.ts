/** The program that the engine writes is the one that its kernels read; a build of other sources is refused, not run. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createModel, initWeights, loadNativeKernel, nativeKinds } from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';

const NN = fileURLToPath(new URL('../../../../libs/nn/', import.meta.url));
/** SHA-256 of the words by the number of their layout: with other words, or other packed weights, raise the number in all three places and add a line. */
const DIGESTS: Readonly<Record<number, string>> = {
  1: '09a150782330bd0d10fa6f03d513e156dab6b9f5f1bc6b803b42d9e68b3493fa',
  2: '88e344e7dc8482094b3564ddf1d2ad988e2e5e93d5e5665021a2f6eb87239bc3',
};
const STALE = {
  name: 'StaleKernelError',
  code: 'KERNEL_STALE',
  message: /compiled from other sources .* 'npm run build'/,
};
const { words: assembly, layout } = assemblyWords();
const folder = mkdtempSync(join(tmpdir(), 'tideline-layout-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('the engine writes the words that both kernels read, in their order, under one number', () => {
  const native = readFileSync(join(NN, 'kernel/native/program.h'), 'utf8');
  const structs = ['program', 'layer'].map((name) => {
    const body = new RegExp(`struct ${name} \\{([^}]*)\\}`).exec(native)?.[1] ?? '';
    return [...body.matchAll(/uint32_t (\w+);/g)].map(([, word]) => word);
  });
  assert.deepEqual(structs, [assembly.program, assembly.layer]);
  assert.equal(Number(/#define LAYOUT (\d+)/.exec(native)?.[1]), layout);

  const engine = readFileSync(join(NN, 'src/engines/simd/program.ts'), 'utf8');
  const header = /const HEADER = \[([^\]]*)\]/.exec(engine)?.[1] ?? '';
  const written = [...header.matchAll(/'(\w+)'/g)].map(([, word]) =>
    word.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
  );
  assert.deepEqual(written, assembly.program);
  assert.equal(Number(/LAYER_WORDS = (\d+)/.exec(engine)?.[1]), assembly.layer.length);
  const source = readFileSync(join(NN, 'src/engines/simd/layout.ts'), 'utf8');
  assert.equal(Number(/LAYOUT = (\d+)/.exec(source)?.[1]), layout);
});

test("whoever changes the words raises the layout's number", () => {
  assert.equal(createHash('sha256').update(JSON.stringify(assembly)).digest('hex'), DIGESTS[layout]);
});

const native = { skip: nativeKinds().length === 0 ? 'the native kernel is not compiled here' : false };

test('a native kernel of another layout, or of none, is refused with the cure', native, () => {
  for (const [name, text] of [
    ['none', ''],
    ['other', `layout: ${layout + 1}, `],
  ]) {
    const file = join(folder, `${name}.cjs`);
    writeFileSync(
      file,
      `module.exports = { ${text}kinds: [{ name: 'sse2', lanes: 4 }], createKernel() { return {}; } };`,
    );
    assert.throws(() => loadNativeKernel({} as never, { file }), STALE);
    assert.throws(() => nativeKinds(file), STALE);
  }
});

test('a WebAssembly kernel of another layout is refused with the cure, and no engine with other bits takes its place', async () => {
  // The package as it is built, but with a kernel of before: one that does not say its layout.
  cpSync(join(NN, 'dist'), join(folder, 'dist'), { recursive: true });
  symlinkSync(join(NN, '../../node_modules'), join(folder, 'node_modules'));
  rmSync(join(folder, 'dist', 'kernel.node'), { force: true });
  writeFileSync(join(folder, 'dist', 'kernel.wasm'), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const stale = (await import(pathToFileURL(join(folder, 'dist', 'index.js')).href)) as typeof import('@tideline/nn');
  const spec = { name: 'course', cell: 'lstm', inputSize: 2, hiddenSize: 4, layers: 1, outputSize: 1 } as const;
  const model = createModel(spec, initWeights(spec, mulberry32(1)));
  for (const kind of ['auto', 'simd', 'simd-wasm', 'fastest'] as const)
    await assert.rejects(stale.createEngine(model, { kind, slotsMax: 1 }), STALE, kind);
});

/** The words of ../assembly/program.ts by their offsets: of the program, and of each layer. */
function assemblyWords(): {
  readonly words: { readonly program: string[]; readonly layer: string[] };
  readonly layout: number;
} {
  const text = readFileSync(join(NN, 'kernel/assembly/program.ts'), 'utf8');
  const found = [...text.matchAll(/export const (\w+): usize = (\d+);/g)].map(([, name, at]) => ({
    name: name.toLowerCase(),
    at: Number(at),
  }));
  const split = found.findIndex(({ name }) => name === 'first_layer');
  const [program, layer] = [found.slice(0, split), found.slice(split + 2)];
  for (const words of [program, layer])
    assert.deepEqual(
      words.map(({ at }) => at),
      words.map((_, i) => 4 * i),
    );
  assert.deepEqual(
    found.slice(split, split + 2).map(({ at }) => at),
    [4 * program.length, 4 * layer.length],
  );
  const names = (words: readonly { readonly name: string }[]): string[] => words.map(({ name }) => name);
  return {
    words: { program: names(program), layer: names(layer) },
    layout: Number(/LAYOUT: u32 = (\d+)/.exec(text)?.[1]),
  };
}
