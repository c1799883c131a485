/**
 * What a series remembers of its calls: the newest four values of every slot of the week, the usual day, and how far today and the day before were from
 * what was usual. Values are the root of the count (`rootOf`), whose noise does not depend on its size; 0: nothing yet (a root is 0.5 at least).
 * A slot is an interval's number on the local clock since 1970-01-01T00:00.
 */
import { INTERVAL_MS_MIN } from './settings.ts';

export const DAY_MS = 86_400_000;
export const SLOTS_MAX = DAY_MS / INTERVAL_MS_MIN;
const WEEKDAYS = 7;
/** Weeks that the usual value of a slot is the mean of. */
const WEEKS = 4;
/** Of a slot of the week: its newest values, newest first, then the week of the newest one. */
const SLOT_SIZE = WEEKS + 1;
/** A slot of the week without calls for so long is closed. */
const CLOSED_AFTER_WEEKS = 5;
/** Share of the newest day in the usual day, and in the usual distance from it. */
const DAY_SHARE = 0.2;
const BIAS_SHARE = 0.15;

/** Places in the stream state. */
export const S = {
  intervalMs: 0,
  firstDay: 1,
  /** Slot and time (ms) of the newest record. */
  slot: 2,
  timeMs: 3,
  count: 4,
  /** Distances of the newest three records from what was usual, newest first; and exponential means of them. */
  residuals: 5,
  fast: 8,
  slow: 9,
  /** Mean square of the distances over days, and over hours. */
  square: 10,
  squareFast: 11,
  level: 12,
  /** Sum and number of today's distances; their mean the day before, that day's slots, and the usual number of slots of a day. */
  todaySum: 13,
  todayCount: 14,
  beforeMean: 15,
  beforeCount: 16,
  usualCount: 17,
  /** The open day before the newest record's, and how many days there were. */
  beforeDay: 18,
  days: 19,
  today: 20,
  before: 20 + SLOTS_MAX,
  bias: 20 + 2 * SLOTS_MAX,
  usualDay: 20 + 3 * SLOTS_MAX,
  holiday: 20 + 4 * SLOTS_MAX,
  week: 20 + 5 * SLOTS_MAX,
} as const;
export const VOLUME_STATE_SIZE = S.week + WEEKDAYS * SLOTS_MAX * SLOT_SIZE;

/** Variance of the root of a Poisson count is about 1/4, whatever its mean: F. Anscombe, Biometrika 35, 1948. */
export function rootOf(calls: number): number {
  return Math.sqrt(calls + 0.25);
}

/** The count of a root; 0 for one below that of 0. */
export function countOf(root: number): number {
  return root > 0.5 ? root * root - 0.25 : 0;
}

/** 1970-01-01 was a Thursday; 0: Monday. */
export function weekdayOf(day: number): number {
  return (day + 3) % WEEKDAYS;
}

function weekOf(day: number): number {
  return Math.floor((day + 3) / WEEKDAYS);
}

/** One series' memory in a state array. Set `at` before each use; nothing is allocated a row. */
export class Memory {
  readonly #holidays: ReadonlySet<number>;
  state: Float64Array = new Float64Array();
  at = 0;
  /** Slots of a day. */
  slots = 1;

  constructor(holidays: ReadonlySet<number>) {
    this.#holidays = holidays;
  }

  isHoliday(day: number): boolean {
    return this.#holidays.has(day);
  }

  dayOf(slot: number): number {
    return Math.floor(slot / this.slots);
  }

  /** Place of a slot of the week. */
  #week(slot: number): number {
    const day = this.dayOf(slot);
    return this.at + S.week + (weekdayOf(day) * this.slots + (slot - day * this.slots)) * SLOT_SIZE;
  }

  /** Whether calls are expected to be counted in the slot: it was, on this weekday, lately; a weekday that was never due yet is like any other. */
  isOpen(slot: number): boolean {
    const day = this.dayOf(slot);
    if (this.isHoliday(day) && this.state[this.at + S.holiday + (slot - day * this.slots)] === 0) return false;
    const place = this.#week(slot);
    if (this.state[place] !== 0) return weekOf(day) - this.state[place + WEEKS] <= CLOSED_AFTER_WEEKS;
    const isNew = day - this.state[this.at + S.firstDay] < WEEKDAYS;
    return isNew && this.state[this.at + S.usualDay + (slot - day * this.slots)] !== 0;
  }

  /** The next slot that is open, within a week; the very next where none is. */
  nextOpen(slot: number): number {
    const end = slot + WEEKDAYS * this.slots;
    for (let next = slot + 1; next <= end; next += 1) if (this.isOpen(next)) return next;
    return slot + 1;
  }

  /** The slot of the same time on the next day that is open then, within a week; the next day's where none is. */
  nextDay(slot: number): number {
    for (let days = 1; days <= WEEKDAYS; days += 1)
      if (this.isOpen(slot + days * this.slots)) return slot + days * this.slots;
    return slot + this.slots;
  }

  /** The newest root of this slot of the week, else what is usual. */
  lastWeek(slot: number): number {
    const value = this.state[this.#week(slot)];
    return value === 0 ? this.usual(slot) : value;
  }

  /** The usual root of a slot: mean of its newest weeks; of a holiday that of holidays; else of its time of day; else of the series. */
  usual(slot: number): number {
    const { state, at } = this;
    const day = this.dayOf(slot);
    const ofDay = slot - day * this.slots;
    if (this.isHoliday(day) && state[at + S.holiday + ofDay] !== 0) return state[at + S.holiday + ofDay];
    const place = this.#week(slot);
    let sum = 0;
    let count = 0;
    while (count < WEEKS && state[place + count] !== 0) {
      sum += state[place + count];
      count += 1;
    }
    if (count > 0) return sum / count;
    const usualDay = state[at + S.usualDay + ofDay];
    return usualDay === 0 ? state[at + S.level] : usualDay;
  }

  /** Mean of what is usual around a slot, `reach` slots each way as far as they are open. */
  usualAround(slot: number, reach: number): number {
    let sum = 0;
    let count = 0;
    for (let near = slot - reach; near <= slot + reach; near += 1) {
      if (near !== slot && !this.isOpen(near)) continue;
      sum += this.usual(near);
      count += 1;
    }
    return sum / count;
  }

  /** Mean of a day's values (`today`, `before`, `bias`) around the slot's time of day. */
  around(values: number, slot: number, reach: number): number {
    const ofDay = slot - this.dayOf(slot) * this.slots;
    let sum = 0;
    let count = 0;
    for (let near = Math.max(0, ofDay - reach); near <= Math.min(this.slots - 1, ofDay + reach); near += 1) {
      // Slots that were never open would pull the mean to 0.
      if (this.state[this.at + S.usualDay + near] === 0) continue;
      sum += this.state[this.at + values + near];
      count += 1;
    }
    return count === 0 ? 0 : sum / count;
  }

  /** Begins a day: today becomes the day before. */
  beginDay(day: number): void {
    const { state, at, slots } = this;
    if (state[at + S.count] > 0) {
      const count = state[at + S.todayCount];
      const days = state[at + S.days];
      const share = Math.max(BIAS_SHARE, 1 / days);
      for (let i = 0; i < slots; i += 1)
        state[at + S.bias + i] += share * (state[at + S.today + i] - state[at + S.bias + i]);
      state[at + S.beforeMean] = state[at + S.todaySum] / count;
      state[at + S.beforeCount] = count;
      state[at + S.usualCount] += Math.max(DAY_SHARE, 1 / days) * (count - state[at + S.usualCount]);
      state[at + S.beforeDay] = this.dayOf(state[at + S.slot]);
      state.copyWithin(at + S.before, at + S.today, at + S.today + SLOTS_MAX);
      state.fill(0, at + S.today, at + S.today + SLOTS_MAX);
    } else state[at + S.beforeDay] = day - 1;
    state[at + S.todaySum] = 0;
    state[at + S.todayCount] = 0;
    state[at + S.days] += 1;
  }

  /** Takes in the root of a slot and its distance from what was usual. */
  take(slot: number, root: number, residual: number): void {
    const { state, at } = this;
    const day = this.dayOf(slot);
    const ofDay = slot - day * this.slots;
    state[at + S.today + ofDay] = residual;
    state[at + S.todaySum] += residual;
    state[at + S.todayCount] += 1;
    const usualAt = at + S.usualDay + ofDay;
    state[usualAt] = state[usualAt] === 0 ? root : state[usualAt] + DAY_SHARE * (root - state[usualAt]);
    if (this.isHoliday(day)) {
      const holidayAt = at + S.holiday + ofDay;
      state[holidayAt] = state[holidayAt] === 0 ? root : (state[holidayAt] + root) / 2;
      return;
    }
    const place = this.#week(slot);
    state.copyWithin(place + 1, place, place + WEEKS - 1);
    state[place] = root;
    state[place + WEEKS] = weekOf(day);
  }
}
