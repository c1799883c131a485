import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { ConfigError } from '@tideline/pipeline';
import { encodeText, problemsOf, type TextParts } from './encode-text.ts';
import { loadOnnx, type OnnxRuntime, type OnnxSession } from './load-onnx.ts';

/** Where the model lies in a folder as sentence-transformers and Xenova keep it on the hub; the first that is there. */
const MODEL_FILES = ['model.onnx', 'onnx/model.onnx', 'model_quantized.onnx', 'onnx/model_quantized.onnx'] as const;
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;
/** Where the tokenizer does not say. */
const TOKENS_MAX = 256;
/** 384 values each: 6 MiB. */
const TEXTS_MAX = 4_096;

export interface OnnxSentenceEncoder {
  /** Values of a text. */
  readonly size: number;
  /** SHA-256, hex, over the names and bytes of the model and the tokenizer. */
  readonly digest: string;
  /** Values of each text, [size]; not to be changed. */
  encode(texts: readonly string[]): Promise<readonly Float32Array[]>;
}

export interface OnnxSentenceOptions {
  /** With the model (`model.onnx`, or in `onnx/`), `tokenizer.json` and, where there is one, `tokenizer_config.json`. */
  readonly folder: string;
  /** Texts whose values are remembered, those asked for last. */
  readonly textsMax?: number;
}

/**
 * A sentence transformer (all-MiniLM-L6-v2 and its like) in ONNX, computed by onnxruntime's WebAssembly on one thread: the same bits on every processor. A text
 * of 16 words takes some 15 ms of the process, which does nothing else meanwhile; between two texts others have their turn. Throws ConfigError that names
 * the file or the command where something is missing or the model is of another kind.
 */
export async function createOnnxSentenceEncoder(options: OnnxSentenceOptions): Promise<OnnxSentenceEncoder> {
  const { folder, textsMax = TEXTS_MAX } = options;
  const { model, tokenizer, config, digest } = await readFolder(folder);
  const { runtime, tokenizers } = await loadOnnx();
  const session = await openSession(runtime, model, folder);
  const settings = parseJson(tokenizer, join(folder, TOKENIZER_FILES[0]));
  const parts: TextParts = {
    ...{ runtime, session, tokensMax: tokensMaxOf(settings) },
    tokenizer: tryOut(folder, () => {
      const other = config === null ? {} : parseJson(config, join(folder, TOKENIZER_FILES[1]));
      return new tokenizers.Tokenizer(settings, other);
    }),
  };
  const { length: size } = await encodeText(parts, '').catch((cause: unknown) => fail(folder, cause));
  const known = new Map<string, Float32Array>();
  let last: Promise<unknown> = Promise.resolve();
  const remember = (text: string, values: Float32Array): Float32Array => {
    // The newest is last.
    known.delete(text);
    known.set(text, values);
    if (known.size > textsMax) known.delete(known.keys().next().value as string);
    return values;
  };
  /** A session runs one text at a time. */
  const inTurn = (text: string): Promise<Float32Array> => {
    const own = last.then(async () => known.get(text) ?? (await encodeText(parts, text)));
    last = own.then(
      () => othersTurn(),
      () => undefined,
    );
    return own;
  };
  return {
    ...{ size, digest },
    async encode(texts) {
      const found: Float32Array[] = [];
      for (const text of texts) found.push(remember(text, known.get(text) ?? (await inTurn(text))));
      return found;
    },
  };
}

interface EncoderFiles {
  readonly model: Uint8Array;
  readonly tokenizer: Uint8Array;
  readonly config: Uint8Array | null;
  readonly digest: string;
}

async function readFolder(folder: string): Promise<EncoderFiles> {
  const read = (file: string): Promise<Uint8Array | null> => readFile(join(folder, file)).catch(() => null);
  const [tokenizer, config] = await Promise.all(TOKENIZER_FILES.map(read));
  let model: Uint8Array | null = null;
  for (const file of MODEL_FILES) model ??= await read(file);
  const missing = [...(model === null ? [MODEL_FILES[0]] : []), ...(tokenizer === null ? [TOKENIZER_FILES[0]] : [])];
  if (model === null || tokenizer === null)
    throw new ConfigError([
      `The sentence encoder's folder '${folder}' has no ${missing.join(' and no ')}: put there what a sentence transformer has on Hugging Face's hub ` +
        `(model.onnx or onnx/model.onnx, tokenizer.json, tokenizer_config.json), or name that of 'npm run setup:onnx -- --minilm', .cache/all-MiniLM-L6-v2.`,
    ]);
  const hash = createHash('sha256');
  for (const [name, bytes] of Object.entries({ model, tokenizer, config }))
    hash.update(`${name} ${bytes?.length ?? -1}\n`).update(bytes ?? '');
  return { model, tokenizer, config, digest: hash.digest('hex') };
}

async function openSession(runtime: OnnxRuntime, model: Uint8Array, folder: string): Promise<OnnxSession> {
  const session = await runtime.InferenceSession.create(model, { executionProviders: ['wasm'] }).catch(
    (cause: unknown) => fail(folder, cause),
  );
  const problems = problemsOf(session);
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `The model in '${folder}': ${problem}.`));
  return session;
}

function parseJson(bytes: Uint8Array, path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new ConfigError([`'${path}' is no JSON: ${(cause as Error).message}. Fetch it anew.`]);
  }
}

function tokensMaxOf({ truncation }: Readonly<Record<string, unknown>>): number {
  const said = (truncation as { readonly max_length?: unknown } | null | undefined)?.max_length;
  return typeof said === 'number' && said > 0 ? said : TOKENS_MAX;
}

function tryOut<T>(folder: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    return fail(folder, cause);
  }
}

function fail(folder: string, cause: unknown): never {
  const [line] = String(cause instanceof Error ? cause.message : cause).split('\n');
  throw new ConfigError([
    `The sentence encoder in '${folder}' does not work: ${line} Export a sentence transformer with its weights in one file, and its tokenizer.json.`,
  ]);
}
