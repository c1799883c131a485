import { assertHead, headNumbers } from './heads/head.ts';
import { GATES, INPUT_ACTIVATIONS, type ModelSpec } from './model.ts';
import { ModelError } from './model-error.ts';

const SIZE_MAX = 65_536;

/** Fields of a spec that every version of the weights file knows, and those that came with version 2. */
const PLAIN_FIELDS: readonly string[] = [
  'name',
  'cell',
  'inputSize',
  'hiddenSize',
  'layers',
  'outputSize',
  'gruReset',
] satisfies readonly (keyof ModelSpec)[];
const FAMILY_FIELDS = [
  'peephole',
  'layerNorm',
  'embedding',
  'textEncoder',
  'sentenceEncoder',
  'inputLayer',
  'inputActivation',
  'skipConnection',
  'bidirectional',
  'decoder',
  'head',
] as const satisfies readonly (keyof ModelSpec)[];

/** Throws ModelError that names the first field that no model can have. */
export function assertSpec(spec: ModelSpec): void {
  if (typeof spec.name !== 'string' || spec.name === '')
    throw new ModelError(`A model's name is ${JSON.stringify(spec.name)}, must be a text that is not empty.`);
  if (!Object.hasOwn(GATES, spec.cell))
    throw new ModelError(
      `Model '${spec.name}': cell is '${spec.cell}', must be one of ${Object.keys(GATES).join(', ')}.`,
    );
  for (const field of ['inputSize', 'hiddenSize', 'layers', 'outputSize'] as const)
    assertSize(spec, field, spec[field], 1);
  if (spec.gruReset !== undefined && spec.gruReset !== 'after' && spec.gruReset !== 'before')
    throw new ModelError(`Model '${spec.name}': gruReset is '${spec.gruReset}', must be 'after' or 'before'.`);
  for (const field of ['peephole', 'layerNorm', 'skipConnection', 'bidirectional'] as const)
    assertFlag(spec, field, spec[field]);
  if (spec.peephole && spec.cell !== 'lstm')
    throw new ModelError(`Model '${spec.name}': peephole is for the lstm, its cell is '${spec.cell}'. Leave it out.`);
  if (spec.peephole && spec.layerNorm)
    throw new ModelError(`Model '${spec.name}': peephole and layerNorm do not go together. Leave one of them out.`);
  if (spec.embedding !== undefined) assertEmbedding(spec, spec.embedding);
  if (spec.textEncoder !== undefined) assertTextEncoder(spec, spec.textEncoder);
  if (spec.sentenceEncoder !== undefined) assertSentenceEncoder(spec, spec.sentenceEncoder);
  if (spec.inputLayer !== undefined) assertSize(spec, 'inputLayer', spec.inputLayer, 1);
  if (spec.inputActivation !== undefined) assertInputActivation(spec, spec.inputActivation);
  for (const field of ['inputLayer', 'skipConnection'] as const)
    if (spec[field] && (spec.bidirectional || spec.decoder))
      throw new ModelError(
        `Model '${spec.name}': ${field} goes with plain stacks only. Leave ${field}, or bidirectional and decoder out.`,
      );
  if (spec.decoder !== undefined) assertDecoder(spec, spec.decoder);
  if (spec.head !== undefined) assertHead(spec.head, spec);
}

function assertInputActivation(spec: ModelSpec, activation: string): void {
  if (!INPUT_ACTIVATIONS.some((known) => known === activation))
    throw new ModelError(
      `Model '${spec.name}': inputActivation is '${activation}', must be one of ${INPUT_ACTIVATIONS.join(', ')}.`,
    );
  if (spec.inputLayer === undefined)
    throw new ModelError(
      `Model '${spec.name}': inputActivation is that of an inputLayer. Add the layer, or leave it out.`,
    );
}

function assertEmbedding(spec: ModelSpec, embedding: NonNullable<ModelSpec['embedding']>): void {
  if (typeof embedding !== 'object' || embedding === null || Array.isArray(embedding))
    throw new ModelError(`Model '${spec.name}': embedding is ${JSON.stringify(embedding)}, must be an object.`);
  assertSize(spec, 'embedding.buckets', embedding.buckets, 1);
  assertSize(spec, 'embedding.size', embedding.size, 1);
  if (embedding.size > spec.inputSize)
    throw new ModelError(
      `Model '${spec.name}': embedding.size is ${embedding.size}, but there are only ${spec.inputSize} inputs. The embedding is the last of them.`,
    );
}

/** The spec of a model's text encoder, by a name of its own for messages. */
export function textEncoderSpecOf(spec: ModelSpec): ModelSpec | null {
  return spec.textEncoder === undefined ? null : { ...spec.textEncoder, name: `${spec.name}: textEncoder` };
}

function assertTextEncoder(spec: ModelSpec, encoder: NonNullable<ModelSpec['textEncoder']>): void {
  if (typeof encoder !== 'object' || encoder === null || Array.isArray(encoder))
    throw new ModelError(`Model '${spec.name}': textEncoder is ${JSON.stringify(encoder)}, must be an object.`);
  const idle = ['textEncoder', 'sentenceEncoder'].find((field) => field in encoder);
  if (idle !== undefined)
    throw new ModelError(`Model '${spec.name}': textEncoder has a ${idle}, which nobody would read. Leave it out.`);
  assertSpec(textEncoderSpecOf(spec) as ModelSpec);
  if (encoder.decoder !== undefined || encoder.head?.scope !== 'sequence')
    throw new ModelError(
      `Model '${spec.name}': textEncoder says one thing of a whole text: its head.scope must be 'sequence', and it has no decoder.`,
    );
  if (encoder.outputSize + (spec.embedding?.size ?? 0) > spec.inputSize)
    throw new ModelError(
      `Model '${spec.name}': textEncoder.outputSize is ${encoder.outputSize}, but there are only ${spec.inputSize} inputs for it and the embedding.`,
    );
}

function assertSentenceEncoder(spec: ModelSpec, encoder: NonNullable<ModelSpec['sentenceEncoder']>): void {
  if (typeof encoder !== 'object' || encoder === null || Array.isArray(encoder))
    throw new ModelError(`Model '${spec.name}': sentenceEncoder is ${JSON.stringify(encoder)}, must be an object.`);
  assertSize(spec, 'sentenceEncoder.size', encoder.size, 1);
  if (typeof encoder.digest !== 'string' || !/^[0-9a-f]{64}$/.test(encoder.digest))
    throw new ModelError(
      `Model '${spec.name}': sentenceEncoder.digest is ${JSON.stringify(encoder.digest)}, must be a SHA-256 of 64 hexadecimal digits.`,
    );
  if (encoder.size + (spec.textEncoder?.outputSize ?? 0) + (spec.embedding?.size ?? 0) > spec.inputSize)
    throw new ModelError(
      `Model '${spec.name}': sentenceEncoder.size is ${encoder.size}, but there are only ${spec.inputSize} inputs for it, the textEncoder and the embedding.`,
    );
}

function assertDecoder(spec: ModelSpec, decoder: NonNullable<ModelSpec['decoder']>): void {
  if (typeof decoder !== 'object' || decoder === null || Array.isArray(decoder))
    throw new ModelError(
      `Model '${spec.name}': decoder is ${JSON.stringify(decoder)}, must be an object ({} at least).`,
    );
  if (decoder.knownSize !== undefined) assertSize(spec, 'decoder.knownSize', decoder.knownSize, 0);
  assertFlag(spec, 'decoder.summaryEachStep', decoder.summaryEachStep);
  if (spec.bidirectional)
    throw new ModelError(
      `Model '${spec.name}': a bidirectional encoder's state has two halves, its decoder's one. Leave bidirectional or decoder out.`,
    );
  if ((spec.head?.scope ?? 'per-step') !== 'per-step')
    throw new ModelError(`Model '${spec.name}': a decoder has an output at every step. Leave head.scope out.`);
}

function assertSize(spec: ModelSpec, field: string, value: unknown, min: number): void {
  if (!Number.isInteger(value) || Number(value) < min || Number(value) > SIZE_MAX)
    throw new ModelError(
      `Model '${spec.name}': ${field} is ${value}, must be a whole number from ${min} to ${SIZE_MAX}.`,
    );
}

function assertFlag(spec: ModelSpec, field: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw new ModelError(`Model '${spec.name}': ${field} is ${JSON.stringify(value)}, must be true or false.`);
}

/** The first field that this program does not know, in the spec or in its decoder or head; null where it knows all. */
export function unknownField(spec: object): string | null {
  const known: readonly [prefix: string, part: unknown, fields: readonly string[]][] = [
    ['', spec, [...PLAIN_FIELDS, ...FAMILY_FIELDS]],
    ['embedding.', (spec as Partial<ModelSpec>).embedding, ['buckets', 'size']],
    ['sentenceEncoder.', (spec as Partial<ModelSpec>).sentenceEncoder, ['size', 'digest']],
    ['decoder.', (spec as Partial<ModelSpec>).decoder, ['knownSize', 'summaryEachStep']],
    ['head.', (spec as Partial<ModelSpec>).head, ['kind', 'levels', 'groups', 'scope']],
  ];
  for (const [prefix, part, fields] of known)
    for (const field of Object.keys(part ?? {})) if (!fields.includes(field)) return prefix + field;
  const { textEncoder } = spec as Partial<ModelSpec>;
  const within = textEncoder === undefined ? null : unknownField(textEncoder);
  return within === null ? null : `textEncoder.${within}`;
}

/** What every spec has, in the order of digests. */
export function plainOf(spec: Omit<ModelSpec, 'name'>): readonly (string | number)[] {
  const { cell, inputSize, hiddenSize, layers, outputSize, gruReset = 'after' } = spec;
  return [cell, inputSize, hiddenSize, layers, outputSize, cell === 'gru' ? gruReset : ''];
}

/** What a spec has beyond the plain form, by field; empty for the models of version 1. */
export function familyOf(spec: ModelSpec): Readonly<Record<string, unknown>> {
  const {
    peephole = false,
    layerNorm = false,
    embedding,
    textEncoder,
    sentenceEncoder,
    inputLayer,
    inputActivation = 'tanh',
    skipConnection = false,
    bidirectional = false,
    decoder,
    head,
  } = spec;
  const numbers = head === undefined ? null : headNumbers(head);
  return {
    ...(peephole ? { peephole } : {}),
    ...(layerNorm ? { layerNorm } : {}),
    ...(embedding ? { embedding: [embedding.buckets, embedding.size] } : {}),
    ...(textEncoder ? { textEncoder: [...plainOf(textEncoder), familyOf({ ...textEncoder, name: '' })] } : {}),
    ...(sentenceEncoder ? { sentenceEncoder: [sentenceEncoder.size, sentenceEncoder.digest] } : {}),
    ...(inputLayer === undefined ? {} : { inputLayer }),
    ...(inputActivation === 'tanh' ? {} : { inputActivation }),
    ...(skipConnection ? { skipConnection } : {}),
    ...(bidirectional ? { bidirectional } : {}),
    ...(decoder ? { decoder: [decoder.knownSize ?? 0, decoder.summaryEachStep ?? false] } : {}),
    ...(numbers ? { head: numbers } : {}),
  };
}
