/** The shape of a stream's file, part by part. What the names in it mean is checked after it, in `read-declaration.ts`. */
import { LATE_POLICIES } from '@tideline/pipeline';
import { z } from 'zod';
import { OPERATOR_NAMES, type OperatorName, operatorOf } from '../features/operators.ts';
import { HORIZON_UNITS, VERIFICATION_DEFAULTS } from '../verification/options.ts';
import { FURTHER_FORECASTS, TAG_SOURCES, TIME_UNITS } from './declaration.ts';

const text = (): z.ZodString => z.string('must be a text').min(1, 'must not be empty');
const number = (): z.ZodNumber => z.number('must be a number');
const name = (): z.ZodString =>
  text().regex(/^[A-Za-z_][\w.-]*$/, 'must begin with a letter, then letters, digits, _ . -');
const oneOf = <const T extends readonly string[]>(choices: T) =>
  z.enum(choices, { error: `must be one of ${choices.join(', ')}` });
const whole = (what: string): z.ZodNumber =>
  number().int(`must be a whole number of ${what}`).min(1, 'must be at least 1');
const wholeSteps = (): z.ZodNumber => whole('steps');

const wholeMs = (): z.ZodNumber => number().int('must be whole milliseconds').min(1, 'must be at least 1');
const BAR = { price: text() };

const EMBEDDING_SIZE_MAX = 256;
/** Of a thousand series about one in nine shares its row with another one. */
const EMBEDDING_BUCKETS = 8_192;

/** How many forecasts of one series and horizon may await their truth: they ride in its state. */
const PENDING_MAX = 4_096;
const D = VERIFICATION_DEFAULTS;
const VERIFICATION = {
  pending: whole('forecasts')
    .max(PENDING_MAX, `must be at most ${PENDING_MAX}: they ride in every series' state`)
    .default(D.pending),
  calibration: z
    .strictObject({
      rate: number().gt(0, 'must be above 0').max(1, 'must be at most 1').default(D.rate),
      memory: whole('truths').exactOptional(),
    })
    .optional(),
  scores: z
    .strictObject({ every: whole('forecasts').default(D.every), memory: whole('forecasts').default(D.memory) })
    .optional(),
  online: z
    .strictObject({
      forgetting: number().gt(0.9, 'must be above 0.9').max(1, 'must be at most 1').default(D.forgetting),
    })
    .optional(),
  aggregation: z
    .strictObject({
      rate: number().gt(0, 'must be above 0').max(1, 'must be at most 1').default(D.expertRate),
      memory: whole("horizons' lengths").default(D.expertMemory),
    })
    .optional(),
  tick: z
    .union([z.literal('auto'), number().gt(0, 'must be above 0')], { error: "must be 'auto' or a number above 0" })
    .optional(),
} as const;

const isUnique = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

/** Every part is checked by its own schema, so that one report has the problems of all. */
export const PARTS = {
  name: name(),
  key: text(),
  time: z.union(
    [
      text().transform((field) => ({ field, unit: 'auto' as const })),
      z.strictObject({ field: text(), unit: oneOf(TIME_UNITS) }),
    ],
    {
      error: `must be the name of a field, or {field, unit} with a unit of ${TIME_UNITS.join(', ')}`,
    },
  ),
  output: z.discriminatedUnion(
    'kind',
    [
      z.strictObject({
        kind: z.literal('raw'),
        fields: z.array(name()).min(1, 'must name the outputs of the network').refine(isUnique, 'must name each once'),
      }),
      z.strictObject({
        kind: z.literal('quantiles'),
        of: text(),
        last: text().optional(),
        unit: text().nullable().default(null),
        levels: z
          .array(number().gt(0, 'must be above 0').lt(1, 'must be below 1'))
          .min(1, 'must have one level at least')
          .refine((levels) => levels.every((level, i) => i === 0 || level > levels[i - 1]), 'must rise')
          .default([0.1, 0.5, 0.9]),
        horizons: z
          .array(whole('steps or units of time'))
          .min(1, 'must have one horizon at least')
          .refine(isUnique, 'must name each once')
          .default([1]),
        per: oneOf(HORIZON_UNITS).default('steps'),
        also: z.array(oneOf(FURTHER_FORECASTS)).refine(isUnique, 'must name each once').default([]),
        ...VERIFICATION,
      }),
    ],
    { error: "must have a kind: 'raw' or 'quantiles'" },
  ),
  point: z
    .strictObject({
      measurement: text().default('forecast'),
      tags: z.record(name(), oneOf(TAG_SOURCES)).optional(),
      time: oneOf(['unique', 'event'] as const).default('unique'),
      with: z.array(text()).refine(isUnique, 'must name each once').optional(),
    })
    .prefault({}),
  bars: z
    .discriminatedUnion(
      'kind',
      [
        z.strictObject({
          kind: z.literal('time'),
          span_ms: wholeMs(),
          offset_ms: number().int('must be whole milliseconds').default(0),
          ...BAR,
          volume: text().optional(),
        }),
        z.strictObject({ kind: z.literal('ticks'), count: wholeSteps(), ...BAR, volume: text().optional() }),
        z.strictObject({ kind: z.literal('volume'), size: number().gt(0, 'must be above 0'), ...BAR, volume: text() }),
      ],
      { error: "must have a kind: 'time', 'ticks' or 'volume'" },
    )
    .optional(),
  embedding: z
    .strictObject({
      size: whole('values').max(EMBEDDING_SIZE_MAX, `must be at most ${EMBEDDING_SIZE_MAX}`),
      buckets: whole('rows').max(65_536, 'must be at most 65536').default(EMBEDDING_BUCKETS),
    })
    .optional(),
  warm_up: number().int('must be a whole number of steps').min(0, 'must be at least 0').default(0),
  repeated: oneOf(['time'] as const).optional(),
  model: name().optional(),
  late: oneOf(LATE_POLICIES).optional(),
  idle_ttl_ms: wholeMs().optional(),
} as const;

export const FIELD = z
  .strictObject({
    from: text().optional(),
    required: z.boolean('must be true or false').default(true),
    above: number().default(Number.NEGATIVE_INFINITY),
    at_least: number().default(Number.NEGATIVE_INFINITY),
    at_most: number().default(Number.POSITIVE_INFINITY),
  })
  .prefault({});

/** The name under which a field or a feature can be used. */
export const NAME = name();
export const OP = oneOf(OPERATOR_NAMES);

/** The shape of a feature with this operator. */
export function featureShape(op: OperatorName): z.ZodType {
  const { sources, parameters } = operatorOf(op);
  const of = {
    0: {},
    1: { of: text().transform((source) => [source]) },
    2: { of: z.tuple([text(), text()], 'must be a list of two names') },
  };
  return z.strictObject({
    op: z.literal(op),
    name: name().optional(),
    ...of[sources],
    scale: number().default(1),
    clip: z
      .union(
        [number().gt(0, 'must be above 0'), z.tuple([number(), number()])],
        'must be a number above 0, or [low, high]',
      )
      .transform((clip) => (typeof clip === 'number' ? ([-clip, clip] as const) : clip))
      .refine(([low, high]) => low < high, 'must be [low, high] with low below high')
      .optional(),
    absent: number().default(0),
    input: z.boolean('must be true or false').default(true),
    ...parameters,
  });
}
