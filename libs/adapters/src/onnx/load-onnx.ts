import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigError } from '@tideline/pipeline';

/** What is used of the package `onnxruntime-web`. */
export interface OnnxRuntime {
  readonly env: { logLevel: string; readonly wasm: { numThreads: number } };
  readonly Tensor: new (type: 'int64', values: BigInt64Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OnnxSession> };
}

export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, { readonly dims: readonly number[]; readonly data: ArrayLike<number> }>>>;
}

/** What is used of the package `@huggingface/tokenizers`. */
export interface TokenizerLibrary {
  readonly Tokenizer: new (tokenizer: object, config: object) => Tokenizer;
}

export interface Tokenizer {
  encode(text: string, options?: { readonly add_special_tokens?: boolean }): { readonly ids: readonly number[] };
}

const CURE = 'npm run setup:onnx';
/** Where that installs; it outlives `npm ci`, which empties node_modules. */
const SETUP_FOLDER = join('.cache', 'onnx');
const FOLDERS_MAX = 32;

/** The versions that this program computes with: another one may give other bits, so it is refused. */
const { peerDependencies: VERSIONS } = createRequire(import.meta.url)('../../package.json') as {
  readonly peerDependencies: Readonly<Record<string, string>>;
};

/**
 * Loads both libraries, which `npm install` leaves out for their size (120 MB). Throws ConfigError that names the command where one is missing, of another
 * version, or does not load.
 */
export async function loadOnnx(): Promise<{ readonly runtime: OnnxRuntime; readonly tokenizers: TokenizerLibrary }> {
  const runtime = (await loadPackage('onnxruntime-web')) as OnnxRuntime;
  const tokenizers = (await loadPackage('@huggingface/tokenizers')) as TokenizerLibrary;
  // One thread: sums in one order, and the same bits on every machine. WebAssembly has one meaning, whatever the processor.
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = 'error';
  return { runtime, tokenizers };
}

async function loadPackage(name: string): Promise<unknown> {
  const found = origins().find((origin) => existsSync(join(origin, 'node_modules', name, 'package.json')));
  if (found === undefined)
    throw new ConfigError([
      `A sentence encoder needs the package '${name}', which is not installed ('${CURE}' installs it).`,
    ]);
  const require = createRequire(join(found, 'package.json'));
  const { version, exports } = require(join(found, 'node_modules', name, 'package.json')) as Manifest;
  if (version !== VERSIONS[name])
    throw new ConfigError([
      `A sentence encoder needs '${name}' ${VERSIONS[name]}, ${version} is installed in '${found}': its bits may be others ('${CURE}' installs the right one).`,
    ]);
  const entry = join(found, 'node_modules', name, entryOf(exports['.']));
  return import(pathToFileURL(entry).href).catch((cause: unknown) => {
    throw new ConfigError([`'${entry}' does not load: ${(cause as Error).message} ('${CURE}' installs it anew).`]);
  });
}

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, Conditions>>;
}

/** Conditional exports (Node's "Packages"): only these are asked for, in their order. */
type Conditions = string | { readonly node?: Conditions; readonly import?: Conditions; readonly default?: Conditions };

function entryOf(conditions: Conditions | undefined): string {
  if (typeof conditions === 'string' || conditions === undefined) return conditions ?? 'index.js';
  return entryOf(conditions.node ?? conditions.import ?? conditions.default);
}

/** Folders whose node_modules may hold the packages: those above this file, then the setup's folder in each of them. */
function origins(): string[] {
  const above: string[] = [];
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let depth = 0; depth < FOLDERS_MAX && dirname(folder) !== folder; depth += 1) {
    above.push(folder);
    folder = dirname(folder);
  }
  return [...above, ...above.map((one) => join(one, SETUP_FOLDER))];
}
