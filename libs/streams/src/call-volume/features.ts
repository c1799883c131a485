/**
 * What the network sees at the end of an interval: how far the calls were from what is usual, lately, today and the day before, and what is usual and known
 * of the calendar at the times that it is asked about. Distances are in units of the series' own mean distance, so that one model serves every queue.
 */
import type { RowBuffers } from '@tideline/pipeline';
import { DAY_MS, Memory, rootOf, S, VOLUME_STATE_SIZE, weekdayOf } from './memory.ts';
import { type CallVolumeSettings, isInterval } from './settings.ts';

const HOUR_MS = 3_600_000;
/** How far ahead: the next open interval, hours on the clock, the same time of the next open day. */
export const VOLUME_HORIZONS = ['next', '1h', '4h', '24h'] as const;
const HOURS: readonly number[] = [0, 1, 4, 0];
const NEXT = 0;
const TOMORROW = 3;

/** Of a row, then of each horizon. */
const OWN = 31;
const EACH = 7;
export const VOLUME_INPUT_SIZE = OWN + VOLUME_HORIZONS.length * EACH;

/** Places in a row's context; of each horizon its slot on the local clock, its time (ms), what is usual then (a root), and 1 where it is open. */
export const VOLUME_CONTEXT = { calls: 0, unit: 1, intervalMs: 2, slot: 3, days: 4, horizons: 5, each: 4 } as const;
const C = VOLUME_CONTEXT;
export const VOLUME_CONTEXT_SIZE = C.horizons + VOLUME_HORIZONS.length * C.each;

const CLIP = 6;
/** The root of a count scatters by 0.5. */
const UNIT_MIN = 0.4;
const SQUARE_PRIOR = 1;
/** Records that the prior counts as. */
const PRIOR_RECORDS = 20;
/** Days that mean square and level remember, and records of the fast mean square. */
const SQUARE_DAYS = 10;
const LEVEL_DAYS = 20;
const FAST_RECORDS = 24;
/** A square counts as so many mean ones at most. */
const JUMP = 64;
const FAST = 0.2;
const SLOW = 0.05;
const MISSED_MAX = 12;

export interface VolumeRecord {
  readonly calls: number;
  /** NaN: the record does not say it. */
  readonly intervalMs: number;
  readonly timeMs: number;
}

export class VolumeFeatures {
  readonly #settings: CallVolumeSettings;
  readonly #memory: Memory;

  constructor(settings: CallVolumeSettings) {
    this.#settings = settings;
    this.#memory = new Memory(settings.holidays);
  }

  /**
   * Takes in an interval's calls and writes input and context; false where nothing can be forecast from it: its length is not known yet, or it was counted
   * already.
   */
  advance(record: VolumeRecord, buffers: RowBuffers): boolean {
    const { state, stateAt: at } = buffers;
    const memory = this.#memory;
    const intervalMs = this.#intervalOf(record, state, at);
    if (Number.isNaN(intervalMs)) {
      state[at + S.timeMs] = record.timeMs;
      return false;
    }
    if (state[at + S.intervalMs] !== intervalMs) state.fill(0, at, at + VOLUME_STATE_SIZE);
    state[at + S.intervalMs] = intervalMs;
    memory.state = state;
    memory.at = at;
    memory.slots = DAY_MS / intervalMs;
    const slot = Math.floor((record.timeMs + this.#offsetAt(record.timeMs)) / intervalMs);
    // A step back in time would be a step into what is known.
    if (state[at + S.count] > 0 && slot <= state[at + S.slot]) return false;
    const missed = this.#take(slot, rootOf(record.calls));
    state[at + S.timeMs] = record.timeMs;
    this.#writeContext(slot, record.calls, buffers);
    this.#writeInputs(slot, missed, buffers);
    return true;
  }

  /** Clock of the place against UTC at a time. */
  #offsetAt(timeMs: number): number {
    const { clock } = this.#settings;
    let offset = clock[0].offsetMs;
    for (const change of clock) if (change.fromMs <= timeMs) offset = change.offsetMs;
    return offset;
  }

  #timeOf(slot: number, intervalMs: number): number {
    const local = slot * intervalMs;
    return local - this.#offsetAt(local - this.#offsetAt(local));
  }

  /** As the record or the settings say it, else the shortest time between two records so far; NaN: not known. */
  #intervalOf({ intervalMs, timeMs }: VolumeRecord, state: Float64Array, at: number): number {
    if (!Number.isNaN(intervalMs)) return intervalMs;
    if (this.#settings.intervalMs !== null) return this.#settings.intervalMs;
    const known = state[at + S.intervalMs] || Number.NaN;
    const gapMs = state[at + S.timeMs] === 0 ? Number.NaN : timeMs - state[at + S.timeMs];
    return isInterval(gapMs) && !(gapMs >= known) ? gapMs : known;
  }

  /** Takes the slot into the memory. Returns how many slots before it were due and did not come, at most MISSED_MAX. */
  #take(slot: number, root: number): number {
    const memory = this.#memory;
    const { state, at } = memory;
    const day = memory.dayOf(slot);
    const count = state[at + S.count];
    let missed = 0;
    if (count === 0) {
      state[at + S.firstDay] = day;
      state[at + S.level] = root;
      state[at + S.square] = SQUARE_PRIOR;
      state[at + S.squareFast] = SQUARE_PRIOR;
    } else {
      const from = Math.max(state[at + S.slot] + 1, slot - 7 * memory.slots);
      for (let due = from; due < slot && missed < MISSED_MAX; due += 1) if (memory.isOpen(due)) missed += 1;
    }
    if (count === 0 || day !== memory.dayOf(state[at + S.slot])) memory.beginDay(day);
    const residual = root - memory.usual(slot);
    const recordsADay = Math.max(1, state[at + S.usualCount]);
    const share = (days: number, from: number): number => Math.max(1 / (days * recordsADay), 1 / (count + from));
    // A day without a pattern (an outage, a strike) must not blind the series for long.
    const square = Math.min(residual * residual, JUMP * state[at + S.square]);
    state[at + S.square] += share(SQUARE_DAYS, PRIOR_RECORDS) * (square - state[at + S.square]);
    state[at + S.squareFast] += (square - state[at + S.squareFast]) / FAST_RECORDS;
    state[at + S.level] += share(LEVEL_DAYS, 1) * (root - state[at + S.level]);
    state[at + S.residuals + 2] = state[at + S.residuals + 1];
    state[at + S.residuals + 1] = state[at + S.residuals];
    state[at + S.residuals] = residual;
    state[at + S.fast] += FAST * (residual - state[at + S.fast]);
    state[at + S.slow] += SLOW * (residual - state[at + S.slow]);
    memory.take(slot, root, residual);
    state[at + S.slot] = slot;
    state[at + S.count] = count + 1;
    return missed;
  }

  #writeContext(slot: number, calls: number, { context, contextAt }: RowBuffers): void {
    const memory = this.#memory;
    const { state, at } = memory;
    const intervalMs = state[at + S.intervalMs];
    context[contextAt + C.calls] = calls;
    context[contextAt + C.unit] = Math.max(UNIT_MIN, Math.sqrt(state[at + S.square]));
    context[contextAt + C.intervalMs] = intervalMs;
    context[contextAt + C.slot] = slot;
    context[contextAt + C.days] = state[at + S.days];
    for (let h = 0; h < HOURS.length; h += 1) {
      const target =
        h === NEXT
          ? memory.nextOpen(slot)
          : h === TOMORROW
            ? memory.nextDay(slot)
            : slot + Math.max(1, Math.round((HOURS[h] * HOUR_MS) / intervalMs));
      const place = contextAt + C.horizons + h * C.each;
      context[place] = target;
      context[place + 1] = this.#timeOf(target, intervalMs);
      context[place + 2] = memory.usual(target);
      context[place + 3] = h === NEXT || h === TOMORROW || memory.isOpen(target) ? 1 : 0;
    }
  }

  /** After the context, which says what the horizons are about. */
  #writeInputs(slot: number, missed: number, { inputs, inputAt, context, contextAt }: RowBuffers): void {
    const memory = this.#memory;
    const { state, at } = memory;
    const unit = context[contextAt + C.unit];
    const next = context[contextAt + C.horizons];
    const day = memory.dayOf(slot);
    const nextDay = memory.dayOf(next);
    const isSameDay = nextDay === day;
    const todayMean = state[at + S.todaySum] / state[at + S.todayCount];
    const gapDays = isSameDay ? day - state[at + S.beforeDay] : nextDay - day;
    const count = isSameDay ? state[at + S.beforeCount] : state[at + S.todayCount];
    const date = new Date(nextDay * DAY_MS).getUTCDate();
    const angle = (2 * Math.PI * (next - nextDay * memory.slots)) / memory.slots;
    const weekday = weekdayOf(nextDay);
    let i = inputAt;
    const write = (value: number): void => {
      inputs[i] = value < -CLIP ? -CLIP : value > CLIP ? CLIP : value;
      i += 1;
    };
    for (let lag = 0; lag < 3; lag += 1) write(state[at + S.residuals + lag] / unit);
    write(state[at + S.fast] / unit);
    write(state[at + S.slow] / unit);
    write(isSameDay ? todayMean / unit : 0);
    write((isSameDay ? state[at + S.beforeMean] : todayMean) / unit);
    write(0.5 / unit);
    write(Math.log(state[at + S.level] / 5));
    write(0.5 * Math.log(Math.max(state[at + S.squareFast], 1e-3) / (unit * unit)));
    write(Math.sin(angle));
    write(Math.cos(angle));
    write(Math.sin(2 * angle));
    write(Math.cos(2 * angle));
    write(isSameDay ? 0 : 1);
    write(gapDays > 1 ? 1 : 0);
    write(gapDays > 3 ? 1 : 0);
    for (let d = 0; d < 7; d += 1) write(weekday === d ? 1 : 0);
    write(date <= 3 ? 1 : 0);
    write(date >= 29 ? 1 : 0);
    write(date >= 14 && date <= 16 ? 1 : 0);
    write(memory.isHoliday(nextDay) ? 1 : 0);
    // A holiday nobody told of shows by its few slots.
    write(memory.isHoliday(nextDay - 1) || (state[at + S.days] > 2 && count < state[at + S.usualCount] / 2) ? 1 : 0);
    write(missed / MISSED_MAX);
    write(Math.min(state[at + S.days], 30) / 30);
    for (let h = 0; h < VOLUME_HORIZONS.length; h += 1) this.#writeHorizon(h, day, write, { context, contextAt });
  }

  /** What is known of the slot that a horizon speaks of. */
  #writeHorizon(
    h: number,
    day: number,
    write: (value: number) => void,
    { context, contextAt }: Pick<RowBuffers, 'context' | 'contextAt'>,
  ): void {
    const memory = this.#memory;
    const { state, at } = memory;
    const unit = context[contextAt + C.unit];
    const place = contextAt + C.horizons + h * C.each;
    const [target, usual] = [context[place], context[place + 2]];
    const targetDay = memory.dayOf(target);
    // The newest whole day before the slot's own.
    const values = targetDay === day ? S.before : S.today;
    const level = state[at + S.level];
    write(3 * (usual / level - 1));
    write((memory.lastWeek(target) - usual) / unit);
    write((memory.usualAround(target, 2) - usual) / unit);
    write(memory.around(values, target, 4) / unit);
    write(memory.around(S.bias, target, 4) / unit);
    write(memory.around(values, target, 0) / unit);
    write(h === TOMORROW && targetDay - day > 1 ? 1 : context[place + 3] === 0 ? -1 : 0);
  }
}
