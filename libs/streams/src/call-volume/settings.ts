import { ConfigError } from '@tideline/pipeline';
import { z } from 'zod';
import { Problems } from '../declared/problems.ts';
import type { ServiceTarget } from './erlang-c.ts';

/** What a stream of call volumes is told of its call centre. */
export interface CallVolumeSettings {
  /** Tag `stream` of its points, and its topic where no other is said. */
  readonly name: string;
  readonly model: string;
  /** Length of an interval where records do not say it, ms; null: learned from the time between records. */
  readonly intervalMs: number | null;
  /** Clock of the place against UTC, each from its time on (epoch ms, rising); the first holds from the start. */
  readonly clock: readonly { readonly fromMs: number; readonly offsetMs: number }[];
  /** Local days since 1970-01-01 that are holidays. */
  readonly holidays: ReadonlySet<number>;
  /** Of queues that have no target of their own. */
  readonly target: ServiceTarget;
  readonly targets: ReadonlyMap<string, ServiceTarget>;
}

const DAY_MS = 86_400_000;
/** The usual promise of a call centre: 80 % within 20 s; calls of 300 s. */
const TARGET_DEFAULT: ServiceTarget = { serviceLevel: 0.8, answerWithinSeconds: 20, handleTimeSeconds: 300 };

export const CALL_VOLUME_DEFAULTS: CallVolumeSettings = {
  name: 'call-volume',
  model: 'call-volume-gru',
  intervalMs: null,
  clock: [{ fromMs: 0, offsetMs: 0 }],
  holidays: new Set(),
  target: TARGET_DEFAULT,
  targets: new Map(),
};

/** A day must hold whole intervals, at most 288 of them. */
export const INTERVAL_MS_MIN = 300_000;

export function isInterval(ms: number): boolean {
  return Number.isInteger(ms) && ms >= INTERVAL_MS_MIN && DAY_MS % ms === 0;
}

export const INTERVAL_RULE = 'must be 300000 (5 minutes) or longer, and a day must hold a whole number of it';

const number = (): z.ZodNumber => z.number('must be a number');
const name = (): z.ZodString => z.string('must be a text').regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be a plain name');
const date = z
  .string('must be a date as a text')
  .regex(/^\d{4}-\d\d-\d\d$/, 'must be a date such as 2026-12-25')
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a day of the calendar');
const offset = number()
  .int('must be whole minutes')
  .min(-1_080, 'must be -1080 or more')
  .max(1_080, 'must be 1080 or less');
const TARGET = {
  service_level: number().gt(0, 'must be above 0').lt(1, 'must be below 1'),
  answer_within_s: number().min(0, 'must be 0 or more').max(86_400, 'must be a day or less'),
  handle_time_s: number().gt(0, 'must be above 0').max(86_400, 'must be a day or less'),
};
const FILE = z.strictObject({
  kind: z.literal('call-volume'),
  name: name().default(CALL_VOLUME_DEFAULTS.name),
  model: name().default(CALL_VOLUME_DEFAULTS.model),
  interval_ms: number().refine(isInterval, INTERVAL_RULE).optional(),
  utc_offset_min: offset.default(0),
  clock_changes: z
    .array(
      z.strictObject({
        from: z.iso.datetime('must be a time in UTC such as 2026-03-29T01:00:00Z'),
        utc_offset_min: offset,
      }),
    )
    .default([]),
  holidays: z.array(date).default([]),
  staffing: z
    .strictObject({
      service_level: TARGET.service_level.default(TARGET_DEFAULT.serviceLevel),
      answer_within_s: TARGET.answer_within_s.default(TARGET_DEFAULT.answerWithinSeconds),
      handle_time_s: TARGET.handle_time_s.default(TARGET_DEFAULT.handleTimeSeconds),
      queues: z.record(z.string(), z.strictObject(TARGET).partial()).default({}),
    })
    .prefault({}),
});

/** Reads what a stream's file of kind `call-volume` says. Throws ConfigError with every problem: place, value, cure. */
export function readCallVolumeSettings(source: string, value: unknown): CallVolumeSettings {
  const problems = new Problems(source);
  const file = problems.parse(FILE as z.ZodType<z.output<typeof FILE>>, value, '');
  problems.check();
  if (file === undefined) throw new ConfigError([`${source}: cannot be read.`]);
  const { staffing } = file;
  const target: ServiceTarget = {
    serviceLevel: staffing.service_level,
    answerWithinSeconds: staffing.answer_within_s,
    handleTimeSeconds: staffing.handle_time_s,
  };
  const ownTarget = (own: (typeof staffing.queues)[string]): ServiceTarget => ({
    serviceLevel: own.service_level ?? target.serviceLevel,
    answerWithinSeconds: own.answer_within_s ?? target.answerWithinSeconds,
    handleTimeSeconds: own.handle_time_s ?? target.handleTimeSeconds,
  });
  const changes = file.clock_changes.map(({ from, utc_offset_min: minutes }) => ({
    fromMs: Date.parse(from),
    offsetMs: minutes * 60_000,
  }));
  return {
    name: file.name,
    model: file.model,
    intervalMs: file.interval_ms ?? null,
    clock: [{ fromMs: 0, offsetMs: file.utc_offset_min * 60_000 }, ...changes.sort((a, b) => a.fromMs - b.fromMs)],
    holidays: new Set(file.holidays.map((day) => Date.parse(day) / DAY_MS)),
    target,
    targets: new Map(Object.entries(staffing.queues).map(([queue, own]) => [queue, ownTarget(own)])),
  };
}
