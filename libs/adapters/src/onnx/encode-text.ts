/** A text to its values: tokens -> transformer -> mean over the tokens -> length 1. As sentence-transformers computes them. */
import type { OnnxRuntime, OnnxSession, Tokenizer } from './load-onnx.ts';

/** UTF-16 units of a text that are read: no 256 tokens of written language are longer. */
const UNITS_MAX = 8_192;
/** As torch.nn.functional.normalize. */
const NORM_MIN = 1e-12;
const FEEDS = { input_ids: null, attention_mask: 1, token_type_ids: 0 } as const;
type FeedName = keyof typeof FEEDS;

export interface TextParts {
  readonly runtime: OnnxRuntime;
  readonly session: OnnxSession;
  readonly tokenizer: Tokenizer;
  /** Tokens of a text at most, the special ones among them. */
  readonly tokensMax: number;
}

/** What is wrong with the model's inputs; empty: nothing. */
export function problemsOf({ inputNames }: OnnxSession): string[] {
  const unknown = inputNames.filter((name) => !Object.hasOwn(FEEDS, name));
  return unknown.map((name) => `it asks for the input '${name}'; known are ${Object.keys(FEEDS).join(', ')}`);
}

/** Values of each token: as transformers and as sentence-transformers name them. Others have them first, whatever their name. */
const TOKEN_OUTPUTS = ['last_hidden_state', 'token_embeddings'] as const;

function outputOf(names: readonly string[]): string {
  return TOKEN_OUTPUTS.find((name) => names.includes(name)) ?? names[0];
}

/** The values of one text, [size]. One text a run: its bits do not depend on what else is asked for. Throws RangeError where the output has another shape. */
export async function encodeText(parts: TextParts, text: string): Promise<Float32Array> {
  const { runtime, session } = parts;
  const ids = tokenIds(parts, text.slice(0, UNITS_MAX));
  const feed = (value: number | null): unknown =>
    new runtime.Tensor(
      'int64',
      BigInt64Array.from(ids, (id) => BigInt(value ?? id)),
      [1, ids.length],
    );
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, feed(FEEDS[name as FeedName])]));
  const name = outputOf(session.outputNames);
  const { dims, data } = (await session.run(feeds))[name];
  if (dims.length !== 3 || dims[1] !== ids.length)
    throw new RangeError(`its output '${name}' has shape [${dims.join(', ')}], must have values of each token.`);
  return pooled(data, ids.length, dims[dims.length - 1]);
}

/** The text's tokens between the special ones; where there are too many, the last of the text's own are left out, as Hugging Face's tokenizers do it. */
function tokenIds({ tokenizer, tokensMax }: TextParts, text: string): readonly number[] {
  const { ids } = tokenizer.encode(text);
  if (ids.length <= tokensMax) return ids;
  const own = tokenizer.encode(text, { add_special_tokens: false }).ids;
  const special = ids.length - own.length;
  let before = 0;
  while (before < special && own.some((id, i) => ids[before + i] !== id)) before += 1;
  const kept = Math.max(0, tokensMax - special);
  return [...ids.slice(0, before + kept), ...ids.slice(before + own.length)];
}

/** Mean over the tokens (one text a run: nothing is padding), scaled to length 1. `data`: [tokens][size]. Sums are of 64 bits. */
function pooled(data: ArrayLike<number>, tokens: number, size: number): Float32Array {
  const sums = new Float64Array(size);
  for (let token = 0; token < tokens; token += 1) for (let i = 0; i < size; i += 1) sums[i] += data[token * size + i];
  let squares = 0;
  for (let i = 0; i < size; i += 1) {
    sums[i] /= tokens;
    squares += sums[i] * sums[i];
  }
  const norm = Math.max(Math.sqrt(squares), NORM_MIN);
  return Float32Array.from(sums, (sum) => sum / norm);
}
