/** What a row's event time says. */
import { type Build, TIME_PLACE } from './operator.ts';

export const MS_A_UNIT = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, day: 86_400_000 } as const;
export type SpanUnit = keyof typeof MS_A_UNIT;

export interface TimeGapParameters {
  /** Longer gaps count as this. */
  readonly cap_ms: number;
  readonly unit: SpanUnit;
}

/** Time since the newest row before, in `unit`, at most `cap_ms`; 0 for a row that is older. */
export const buildTimeGap: Build<TimeGapParameters> = ({ cap_ms: capMs, unit }, { out, plan }) => {
  const offset = plan.state(1); // newest time, ms; 0: none (event times lie after 1970)
  const unitMs = MS_A_UNIT[unit];
  return (values, state, at) => {
    const timeMs = values[TIME_PLACE];
    const newestMs = state[at + offset];
    if (newestMs === 0) {
      values[out] = Number.NaN;
      state[at + offset] = timeMs;
      return;
    }
    const gapMs = timeMs - newestMs;
    if (gapMs > 0) state[at + offset] = timeMs;
    values[out] = (gapMs > capMs ? capMs : gapMs > 0 ? gapMs : 0) / unitMs;
  };
};

/** Length of a cycle of the calendar; a week begins on Monday, a year is its mean length. */
const CYCLE_MS = { hour: 3_600_000, day: 86_400_000, week: 604_800_000, year: 31_556_952_000 } as const;
/** 1970-01-01 was a Thursday. */
const WEEK_PHASE_MS = 3 * 86_400_000;

export interface CalendarParameters {
  readonly cycle: keyof typeof CYCLE_MS;
  readonly part: 'sin' | 'cos';
  /** Of the place whose calendar it is. Fixed: a rule for summer time would change with its tables. */
  readonly utc_offset_min: number;
}

/** Sine or cosine of the place in a cycle of the calendar. */
export const buildCalendar: Build<CalendarParameters> = ({ cycle, part, utc_offset_min: offsetMin }, { out }) => {
  const cycleMs = CYCLE_MS[cycle];
  const phaseMs = offsetMin * 60_000 + (cycle === 'week' ? WEEK_PHASE_MS : 0);
  const wave = part === 'sin' ? Math.sin : Math.cos;
  return (values) => {
    values[out] = wave((2 * Math.PI * ((values[TIME_PLACE] + phaseMs) % cycleMs)) / cycleMs);
  };
};

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface WeekdayParameters {
  readonly day: Weekday;
  /** Of the place whose calendar it is. */
  readonly utc_offset_min: number;
}

/** 1 on the given day of the week, else 0. */
export const buildWeekday: Build<WeekdayParameters> = ({ day, utc_offset_min: offsetMin }, { out }) => {
  const wanted = WEEKDAYS.indexOf(day);
  const phaseMs = offsetMin * 60_000 + WEEK_PHASE_MS;
  return (values) => {
    const dayNumber = Math.floor((values[TIME_PLACE] + phaseMs) / MS_A_UNIT.day);
    values[out] = dayNumber % 7 === wanted ? 1 : 0;
  };
};
