/** Which topics are served and by which rules: fields of a service's configuration, for every service the same. */
import { ConfigError, LATE_POLICIES, type LatePolicy } from '@tideline/pipeline';
import { z } from 'zod';
import { CALL_POINTS, type CallPoints } from './calls/call-stream.ts';
import { TOPIC_STREAMS, type TopicStream } from './topic-streams.ts';

/** One value for all topics, and those of topics that have their own. */
export interface ByTopic<T> {
  readonly all: T | undefined;
  readonly own: ReadonlyMap<string, T>;
}

/** `value`, or `topic=value` for single topics, or both, separated by commas. */
function byTopic<T>(value: z.ZodType<T, string>): z.ZodType<ByTopic<T>, string> {
  return z.string().transform((text, context): ByTopic<T> => {
    const own = new Map<string, T>();
    let all: T | undefined;
    for (const entry of text.split(',').map((part) => part.trim())) {
      const at = entry.indexOf('=');
      const result = value.safeParse(entry.slice(at + 1));
      if (!result.success) {
        const reasons = result.error.issues.map(({ message }) => message).join(', ');
        context.addIssue({ code: 'custom', message: `'${entry.slice(at + 1)}' ${reasons}` });
      } else if (at === -1) all = result.data;
      else own.set(entry.slice(0, at), result.data);
    }
    return { all, own };
  });
}

const LATE = byTopic<LatePolicy>(z.enum(LATE_POLICIES, { error: `must be one of ${LATE_POLICIES.join(', ')}` }));

const IDLE = byTopic<number | null>(
  z
    .string()
    .regex(/^(off|[1-9]\d{0,14})$/, "must be a whole number of milliseconds, or 'off'")
    .transform((text) => (text === 'off' ? null : Number(text))),
);

const ON_OFF = byTopic(z.enum(['on', 'off'], { error: 'must be on or off' }).transform((text) => text === 'on'));

/** A model's name is a folder's name. */
const MODEL = byTopic(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be the name of a model'));

/** `turns`, `figures`, `rollups`, `scores`, `summary`, some of them separated by commas, or `none`. */
export const CALL_POINTS_LIST = z
  .string()
  .transform((text) => (text === 'none' ? [] : text.split(',').map((part) => part.trim())))
  .pipe(z.array(z.enum(CALL_POINTS, { error: `must be some of ${CALL_POINTS.join(', ')}, or none` })))
  .readonly();

export const STREAM_FIELDS = {
  TIDELINE_STREAMS: TOPIC_STREAMS.default([
    { topic: 'ticks', stream: 'ticks' },
    { topic: 'calls', stream: 'calls' },
  ]),
  /** What happens to late and repeated records: `drop`, or `ticks=drop,calls=dead-letter`; `apply` where nothing is said. */
  TIDELINE_LATE: LATE.optional(),
  /** A series that was silent for longer, in event time, starts anew: `calls=1800000,ticks=off`; where nothing is said, as the stream has it. */
  TIDELINE_IDLE_TTL_MS: IDLE.optional(),
  /** `off`, or `calls=off`: texts are kept as they come. Where nothing is said, names, numbers and addresses are taken out first. */
  TIDELINE_REDACT: ON_OFF.optional(),
  /** Whether `ticks` scores its forecasts when their truth comes and calibrates its intervals by it: `on`, `ticks=on`; a declared stream says so itself. */
  TIDELINE_VERIFY: ON_OFF.optional(),
  /** A file of rules for alerts over calls: `rules.yaml`, or `calls=rules.yaml`. */
  TIDELINE_RULES: byTopic(z.string().min(1, 'must be the path of a file')).optional(),
  /** Folder of the sentence encoder that the model of calls was trained with: `minilm`, or `calls=minilm`. */
  TIDELINE_SENTENCE_ENCODER: byTopic(z.string().min(1, 'must be the path of a folder')).optional(),
  /** Points of calls beside sentiment and alerts: `turns,figures,rollups,scores,summary`, some of them, or `none`. */
  TIDELINE_CALL_POINTS: CALL_POINTS_LIST.default(CALL_POINTS),
  /** The model of a topic, `ticks=ticks-v2`; the stream's own where nothing is said. */
  TIDELINE_MODEL: MODEL.optional(),
};

export interface StreamConfig {
  readonly TIDELINE_STREAMS: readonly TopicStream[];
  readonly TIDELINE_LATE?: ByTopic<LatePolicy> | undefined;
  readonly TIDELINE_IDLE_TTL_MS?: ByTopic<number | null> | undefined;
  readonly TIDELINE_REDACT?: ByTopic<boolean> | undefined;
  readonly TIDELINE_VERIFY?: ByTopic<boolean> | undefined;
  readonly TIDELINE_RULES?: ByTopic<string> | undefined;
  readonly TIDELINE_SENTENCE_ENCODER?: ByTopic<string> | undefined;
  readonly TIDELINE_CALL_POINTS: readonly CallPoints[];
  readonly TIDELINE_MODEL?: ByTopic<string> | undefined;
}

/** The topics with the rules of each. Throws ConfigError where a rule names a topic that is not served. */
export function servedTopics(config: StreamConfig): readonly TopicStream[] {
  const { TIDELINE_STREAMS: streams, TIDELINE_LATE: late, TIDELINE_IDLE_TTL_MS: idle, TIDELINE_MODEL: models } = config;
  const { TIDELINE_REDACT: redactions, TIDELINE_VERIFY: verify, TIDELINE_RULES: ruleFiles } = config;
  const { TIDELINE_SENTENCE_ENCODER: encoders } = config;
  const known = new Set(streams.map(({ topic }) => topic));
  const rules = {
    TIDELINE_LATE: late,
    TIDELINE_IDLE_TTL_MS: idle,
    TIDELINE_REDACT: redactions,
    TIDELINE_VERIFY: verify,
    TIDELINE_RULES: ruleFiles,
    TIDELINE_SENTENCE_ENCODER: encoders,
    TIDELINE_MODEL: models,
  };
  const problems = Object.entries(rules).flatMap(([name, rule]) =>
    [...(rule?.own.keys() ?? [])]
      .filter((topic) => !known.has(topic))
      .map((topic) => `${name} names topic '${topic}', which TIDELINE_STREAMS does not: name it there.`),
  );
  for (const { topic, stream } of streams)
    if (stream !== 'calls' && encoders?.own.has(topic))
      problems.push(`TIDELINE_SENTENCE_ENCODER names topic '${topic}', whose stream reads no texts: leave it out.`);
  if (problems.length > 0) throw new ConfigError(problems);
  return streams.map((entry) => {
    const { stream } = entry;
    const policy = ruleOf(late, entry.topic);
    const idleTtlMs = ruleOf(idle, entry.topic);
    const rules = ruleOf(ruleFiles, entry.topic);
    const redact = ruleOf(redactions, entry.topic);
    const isVerified = ruleOf(verify, entry.topic);
    const model = ruleOf(models, entry.topic);
    const encoder = stream === 'calls' ? ruleOf(encoders, entry.topic) : undefined;
    return {
      ...entry,
      ...(policy === undefined ? {} : { late: policy }),
      ...(idleTtlMs === undefined ? {} : { idleTtlMs }),
      ...(redact === undefined ? {} : { redact }),
      ...(isVerified === undefined ? {} : { isVerified }),
      ...(rules === undefined ? {} : { rules }),
      ...(encoder === undefined ? {} : { sentenceEncoderFolder: encoder }),
      ...(stream === 'calls' ? { callPoints: config.TIDELINE_CALL_POINTS } : {}),
      ...(model === undefined ? {} : { model }),
    };
  });
}

function ruleOf<T>(rule: ByTopic<T> | undefined, topic: string): T | undefined {
  return rule?.own.has(topic) ? rule.own.get(topic) : rule?.all;
}
