import type { Model } from '@tideline/nn';
import { ConfigError, type LatePolicy, PoisonRecordError, type Stream } from '@tideline/pipeline';
import { readCallRules } from './alerts/rules-file.ts';
import { createCallVolumeStream } from './call-volume/call-volume-stream.ts';
import { VOLUME_KEY_FIELD } from './call-volume/decode.ts';
import { CALL_VOLUME_DEFAULTS, type CallVolumeSettings } from './call-volume/settings.ts';
import { type CallPoints, createCallStream } from './calls/call-stream.ts';
import type { Declaration } from './declared/declaration.ts';
import { declarationDigest } from './declared/declaration-digest.ts';
import { createDeclaredStream } from './declared/declared-stream.ts';
import { isStreamFile, readCallVolumeFile, readStreamFile } from './declared/stream-file.ts';
import { readTimeField } from './event-time.ts';
import type { SentenceEncoder } from './text/sentence-encoder.ts';
import { englishWordVectors } from './text/word-vectors.ts';
import { createTickStream } from './ticks/tick-stream.ts';

export interface StreamOptions {
  /** Tag `model` of the points; '' where no points are made (ingest). */
  readonly modelName: string;
  /** The model that will step, where the stream's features or answers are the model's. */
  readonly model?: Pick<Model, 'spec' | 'weights'>;
  /** What happens to late and repeated records; default `apply`. */
  readonly late?: LatePolicy;
  /** A series that was silent for longer, in event time, starts anew; null: never; absent: as the stream has it. */
  readonly idleTtlMs?: number | null;
  /** Whether names, numbers and addresses are taken out of texts before anything is kept; default true. Streams without texts have nothing to take out. */
  readonly redact?: boolean;
  /** Whether a built-in stream of quantiles scores and calibrates its forecasts; a declared one says so itself. */
  readonly isVerified?: boolean;
  /** Path of the rules for alerts, of streams that have such; default none. */
  readonly rules?: string;
  /** Points of calls beside sentiment and alerts; default none. */
  readonly callPoints?: readonly CallPoints[];
  /** What the call model was trained with beside the words, where it was. */
  readonly sentenceEncoder?: SentenceEncoder;
  /** Reads a call that is over, for the points of `summary`. */
  readonly summaryModel?: Model;
}

interface BuiltIn {
  readonly create: (options: StreamOptions) => Stream;
  readonly modelName: string;
  readonly keyField: string;
}

function createRuledCalls({ rules, callPoints = [], ...options }: StreamOptions): Stream {
  const read = rules === undefined ? {} : { rules: readCallRules(rules) };
  return createCallStream({ ...options, ...read, points: callPoints });
}

const STREAMS = {
  ticks: { create: createTickStream, modelName: 'ticks-lstm', keyField: 'symbol' },
  'call-volume': {
    create: createCallVolumeStream,
    modelName: CALL_VOLUME_DEFAULTS.model,
    keyField: VOLUME_KEY_FIELD,
  },
  calls: { create: createRuledCalls, modelName: 'calls-gru', keyField: 'callId' },
} as const satisfies Record<string, BuiltIn>;

export type StreamName = keyof typeof STREAMS;
export const STREAM_NAMES = Object.keys(STREAMS) as readonly StreamName[];

/** What is known of a stream before it is made. */
export interface StreamDescription {
  /** Tag `stream` of its points, and its topic where no other is said. */
  readonly name: string;
  /** The folder of its model. */
  readonly modelName: string;
  /** Field of a record that is the series' id. */
  readonly keyField: string;
  readonly create: (options: StreamOptions) => Stream;
  /** Event time of a record, epoch ms, 0 where it cannot be read; null: the fields of the contracts have it. */
  readonly timeMsOf: ((record: Readonly<Record<string, unknown>>) => number) | null;
  /** What the stream's file says; null: it is built in. */
  readonly declaration: Declaration | null;
  /** What a stream of call volumes is told of its call centre; null: it is another stream. */
  readonly callVolume: CallVolumeSettings | null;
}

/** The stream called `name`, or that the file `name` declares. Throws ConfigError where there is none. */
export function describeStream(name: string): StreamDescription {
  if (Object.hasOwn(STREAMS, name)) {
    const callVolume = name === 'call-volume' ? CALL_VOLUME_DEFAULTS : null;
    return { name, ...STREAMS[name as StreamName], timeMsOf: null, declaration: null, callVolume };
  }
  if (isStreamFile(name)) {
    const callVolume = readCallVolumeFile(name);
    if (callVolume !== null) return describeCallVolume(callVolume);
    const declaration = readStreamFile(name);
    const { model: modelName, key: keyField } = declaration;
    const create = (options: StreamOptions): Stream => createDeclaredStream(declaration, options);
    return {
      name: declaration.name,
      modelName,
      keyField,
      create,
      timeMsOf: timeReader(declaration),
      declaration,
      callVolume: null,
    };
  }
  const known = STREAM_NAMES.join(', ');
  throw new ConfigError([
    `There is no stream '${name}': use one of ${known} or the path of a file that declares one (.yaml, .json); ` +
      `'topic=stream' for a topic of another name.`,
  ]);
}

function describeCallVolume(settings: CallVolumeSettings): StreamDescription {
  const create = (options: StreamOptions): Stream => createCallVolumeStream({ ...options, settings });
  const { name, model: modelName } = settings;
  return {
    name,
    modelName,
    keyField: VOLUME_KEY_FIELD,
    create,
    timeMsOf: null,
    declaration: null,
    callVolume: settings,
  };
}

function timeReader({ time: { field, unit } }: Declaration): (record: Readonly<Record<string, unknown>>) => number {
  return (record) => {
    try {
      return readTimeField(record, field, unit).ms;
    } catch (error) {
      // The stream itself refuses the record, with its reason.
      if (error instanceof PoisonRecordError) return 0;
      throw error;
    }
  };
}

/** The stream called `name`, or that the file `name` declares. Throws ConfigError where there is none. */
export function createStream(name: string, options: StreamOptions): Stream {
  return describeStream(name).create(options);
}

/**
 * Throws ConfigError where a model's widths are not those of the stream, or its card says that it was trained for other features or outputs: the widths
 * alone do not tell.
 */
export function assertModelFits(
  stream: Stream,
  model: { readonly name: string; readonly inputSize: number; readonly outputSize: number },
  trained: { readonly declaration: Declaration | null; readonly card: Readonly<Record<string, unknown>> | null } = {
    declaration: null,
    card: null,
  },
): void {
  const problems: string[] = [];
  const cure = `train a model for this stream ('tideline train ${stream.name}').`;
  for (const width of ['inputSize', 'outputSize'] as const)
    if (model[width] !== stream[width])
      problems.push(
        `Model '${model.name}' has ${width} ${model[width]}, stream '${stream.name}' needs ${stream[width]}: ${cure}`,
      );
  const { declaration, card } = trained;
  const words = card?.words;
  if (typeof words === 'string' && words !== englishWordVectors().digest)
    problems.push(`Model '${model.name}' was trained with other word vectors than this program's: ${cure}`);
  const digest = card?.declaration;
  if (declaration !== null && typeof digest === 'string' && digest !== declarationDigest(declaration))
    problems.push(
      `Model '${model.name}' was trained for other bars, features or outputs than stream '${stream.name}' declares: ` +
        `train it again, or go back to the file that it was trained with.`,
    );
  if (problems.length > 0) throw new ConfigError(problems);
}
