/** The operators by name: what each takes and how it is built. `docs/streams.md` has the same list. */
import { z } from 'zod';
import { buildChange, buildCount, buildLag, buildLogReturn, buildSignChange } from './change.ts';
import { buildEwma, buildEwScore, buildEwVariance, buildVolatility } from './exponential.ts';
import type { Build } from './operator.ts';
import {
  buildAbsolute,
  buildField,
  buildImbalance,
  buildLog,
  buildLog1p,
  buildMiddle,
  buildMinus,
  buildRatio,
  buildRelative,
  buildRoot,
  buildSpread,
  buildTimes,
} from './pointwise.ts';
import { buildSplitGuard } from './split-guard.ts';
import { buildCalendar, buildTimeGap, buildWeekday } from './time.ts';
import { buildMean, buildRealisedVariance, buildShare, buildZScore } from './window.ts';

/** How many steps back an operator may look: its values ride in the state of every series. */
const WINDOW_MAX = 4_096;

const number = (): z.ZodNumber => z.number('must be a number');
const above0 = (): z.ZodNumber => number().gt(0, 'must be above 0');
const rows = (min: number): z.ZodNumber =>
  number()
    .int('must be a whole number of rows')
    .min(min, `must be at least ${min}`)
    .max(WINDOW_MAX, `must be at most ${WINDOW_MAX}: its values ride in every series' state`);
const oneOf = <const T extends readonly string[]>(...choices: T) =>
  z.enum(choices, { error: `must be one of ${choices.join(', ')}` });

const NOTHING = {};
const STEPS = { steps: rows(1).default(1) };
const WINDOW = { window: rows(2) };
const UTC_OFFSET = number().int('must be whole minutes').min(-840).max(840).default(0);
const WEIGHT = { weight: above0().max(1, 'must be at most 1') };

interface Operator {
  /** How many values it is made of. */
  readonly sources: 0 | 1 | 2;
  /** Whether its sources have to be above 0, wherever they are fields. */
  readonly positive?: true;
  readonly parameters: Readonly<Record<string, z.ZodType>>;
  readonly build: Build<never>;
}

export const OPERATORS = {
  field: { sources: 1, parameters: NOTHING, build: buildField },
  log: { sources: 1, positive: true, parameters: NOTHING, build: buildLog },
  log1p: { sources: 1, parameters: NOTHING, build: buildLog1p },
  absolute: { sources: 1, parameters: NOTHING, build: buildAbsolute },
  root: { sources: 1, parameters: NOTHING, build: buildRoot },
  times: { sources: 2, parameters: NOTHING, build: buildTimes },
  minus: { sources: 2, parameters: NOTHING, build: buildMinus },
  ratio: { sources: 2, parameters: NOTHING, build: buildRatio },
  relative: { sources: 2, parameters: NOTHING, build: buildRelative },
  middle: { sources: 2, parameters: NOTHING, build: buildMiddle },
  spread: { sources: 2, parameters: NOTHING, build: buildSpread },
  imbalance: { sources: 2, parameters: NOTHING, build: buildImbalance },
  log_return: { sources: 1, positive: true, parameters: STEPS, build: buildLogReturn },
  change: { sources: 1, parameters: STEPS, build: buildChange },
  sign_change: { sources: 1, parameters: STEPS, build: buildSignChange },
  count: { sources: 0, parameters: NOTHING, build: buildCount },
  lag: { sources: 1, parameters: STEPS, build: buildLag },
  time_gap: {
    sources: 0,
    parameters: {
      cap_ms: above0().default(Number.MAX_VALUE),
      unit: oneOf('ms', 's', 'min', 'h', 'day').default('ms'),
    },
    build: buildTimeGap,
  },
  calendar: {
    sources: 0,
    parameters: {
      cycle: oneOf('hour', 'day', 'week', 'year'),
      part: oneOf('sin', 'cos'),
      utc_offset_min: UTC_OFFSET,
    },
    build: buildCalendar,
  },
  weekday: {
    sources: 0,
    parameters: { day: oneOf('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'), utc_offset_min: UTC_OFFSET },
    build: buildWeekday,
  },
  split_guard: { sources: 1, positive: true, parameters: { jump: above0() }, build: buildSplitGuard },
  mean: { sources: 1, parameters: WINDOW, build: buildMean },
  share: { sources: 1, parameters: WINDOW, build: buildShare },
  realised_variance: { sources: 1, parameters: WINDOW, build: buildRealisedVariance },
  z_score: { sources: 1, parameters: WINDOW, build: buildZScore },
  ewma: { sources: 1, parameters: WEIGHT, build: buildEwma },
  ew_variance: { sources: 1, parameters: WEIGHT, build: buildEwVariance },
  ew_score: { sources: 1, parameters: { ...WEIGHT, floor: above0().default(1e-9) }, build: buildEwScore },
  volatility: {
    sources: 1,
    parameters: {
      weight: WEIGHT.weight.default(0.02),
      prior: above0().default(1e-3),
      prior_rows: number().min(0, 'must be at least 0').default(4),
      floor: above0().default(1e-6),
      jump: above0().default(8),
    },
    build: buildVolatility,
  },
} as const satisfies Readonly<Record<string, Operator>>;

export type OperatorName = keyof typeof OPERATORS;
export const OPERATOR_NAMES = Object.keys(OPERATORS) as readonly OperatorName[];

/** The operator called `name`, as one type for all. */
export function operatorOf(name: OperatorName): Operator {
  return OPERATORS[name];
}
