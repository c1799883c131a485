import { ConfigError, type LatePolicy } from '@tideline/pipeline';
import { z } from 'zod';
import type { CallPoints } from './calls/call-stream.ts';
import { isStreamFile } from './declared/stream-file.ts';
import { describeStream } from './registry.ts';

/** A topic and the stream that reads it. */
export interface TopicStream {
  readonly topic: string;
  readonly stream: string;
  /** Name of its model, where the topic has one of its own. */
  readonly model?: string;
  /** Where the topic has a policy of its own. */
  readonly late?: LatePolicy;
  /** Where the topic has a time of its own after which a silent series starts anew; null: never. */
  readonly idleTtlMs?: number | null;
  /** Whether its texts are redacted, where said; default true. */
  readonly redact?: boolean;
  /** Where it is said whether a built-in stream of quantiles scores and calibrates its forecasts. */
  readonly isVerified?: boolean;
  /** Path of its rules for alerts, where it has such. */
  readonly rules?: string;
  /** Folder of the sentence encoder of its model of calls, where that has one. */
  readonly sentenceEncoderFolder?: string;
  /** Points of calls beside sentiment and alerts, where said; default none. */
  readonly callPoints?: readonly CallPoints[];
}

/**
 * `ticks,calls` or `us-equities=ticks,calls`: topics with the stream that reads each, the topic's own name where none is said. A stream may be the path of
 * a file that declares one: `quotes=streams/quotes.yaml`, or the path alone, whose topic then has the declared name.
 */
export const TOPIC_STREAMS = z
  .string()
  .transform((text, context): TopicStream[] =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .flatMap((entry): TopicStream[] => {
        const [topic, stream = topic] = entry.split('=');
        if (topic !== stream || !isStreamFile(stream)) return [{ topic, stream }];
        try {
          return [{ topic: describeStream(stream).name, stream }];
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          for (const message of error.problems) context.addIssue({ code: 'custom', message });
          return [];
        }
      }),
  )
  .pipe(
    z
      .array(
        z.object({
          topic: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/, 'must be letters, digits, dots, dashes and underscores'),
          stream: z.string().min(1, 'must name a stream after ='),
        }),
      )
      .min(1, "must name at least one stream, for example 'ticks,calls'"),
  );
