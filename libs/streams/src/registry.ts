import { ConfigError, type LatePolicy, type Stream } from '@tideline/pipeline';
import { createCallStream } from './calls/call-stream.ts';
import { createTickStream } from './ticks/tick-stream.ts';

export interface StreamOptions {
  /** Tag `model` of the points; '' where no points are made (ingest). */
  readonly modelName: string;
  /** What happens to late and repeated records; default `apply`. */
  readonly late?: LatePolicy;
  /** A series that was silent for longer, in event time, starts anew; null: never; absent: as the stream has it. */
  readonly idleTtlMs?: number | null;
}

const STREAMS = { ticks: createTickStream, calls: createCallStream } as const satisfies Record<
  string,
  (options: StreamOptions) => Stream
>;

export type StreamName = keyof typeof STREAMS;
export const STREAM_NAMES = Object.keys(STREAMS) as readonly StreamName[];

/** The stream called `name`. Throws ConfigError where there is none. */
export function createStream(name: string, options: StreamOptions): Stream {
  if (!Object.hasOwn(STREAMS, name)) {
    const known = STREAM_NAMES.join(', ');
    throw new ConfigError([
      `There is no stream '${name}': use one of ${known}, or 'topic=stream' for a topic of another name.`,
    ]);
  }
  return STREAMS[name as StreamName](options);
}

/** Throws ConfigError where a model's widths are not those of the stream. */
export function assertModelFits(
  stream: Stream,
  model: { readonly name: string; readonly inputSize: number; readonly outputSize: number },
): void {
  const problems: string[] = [];
  for (const width of ['inputSize', 'outputSize'] as const)
    if (model[width] !== stream[width])
      problems.push(
        `Model '${model.name}' has ${width} ${model[width]}, stream '${stream.name}' needs ${stream[width]}: ` +
          `train a model for this stream ('tideline train ${stream.name}').`,
      );
  if (problems.length > 0) throw new ConfigError(problems);
}
