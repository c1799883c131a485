/**
 * Follows the forecasts of a series until their truth is known. All that it keeps is a fixed number of float64 values in the series' output state, so a
 * crash, a replay or another batch finds the same corrections and the same scores.
 *
 * Output state of a series: the number of its rows, [its ticks]; then for each horizon what is pending (when the newest one was kept, begin and length of
 * the ring, the ring), calibration, online head, scores, [rows that wait and their mean, aggregation, debts of ticks]. A pending forecast: when its truth
 * comes (row or ms), how many forecasts it stands for, the log of the value that it starts from, its width, the median before it was calibrated, its
 * quantiles as they were told, [its correction, the head's features], [what the experts said].
 *
 * The ring of a horizon is bounded: of the forecasts of one span, the horizon's length over the ring's, one is kept and counts for all. Which one is drawn
 * with equal chances (J. Vitter, "Random Sampling with a Reservoir", 1985, a reservoir of one), by a hash of the row's number, which a replay draws again.
 * The first of a burst, kept always, would be the one before the price moved: what is learnt of it does not hold for the others.
 */
import type { OutputState, RowOutput } from '@tideline/pipeline';
import { Aggregation } from './aggregation.ts';
import { calibrate, calibrationSize, track } from './calibration.ts';
import { correctionOf, isWorth, OnlineHead, onlineSize, onlineWidth, writeFeatures } from './online-head.ts';
import type { VerificationOptions } from './options.ts';
import { isPointDue, SCORES_SIZE, score, takeScoreFields } from './scores.ts';
import { observeTick, oweTick, putOnTicks, TICK_GRID_SIZE, tickOf } from './tick-grid.ts';

export interface VerifiedHorizon {
  /** In rows of the series; of a horizon in time: null. */
  readonly steps: number | null;
  readonly spanMs: number | null;
}

/** The row that is taken, with its series' output state at `stateAt`. One object for all rows. */
export interface VerifiedRow {
  state: Float64Array;
  stateAt: number;
  inputs: Float32Array;
  inputAt: number;
  timeMs: number;
  /** Whose return is forecast; NaN: not known. */
  value: number;
  /** Its log. */
  log: number;
}

export function emptyRow(): VerifiedRow {
  const none = { state: new Float64Array(0), inputs: new Float32Array(0) };
  return { ...none, stateAt: 0, inputAt: 0, timeMs: 0, value: Number.NaN, log: Number.NaN };
}

/** The row that `output` is of; `value`: whose return is forecast. */
export function beginRow(
  row: VerifiedRow,
  at: { readonly timeMs: number; readonly value: number },
  output: RowOutput,
): void {
  row.state = output.state;
  row.stateAt = output.stateAt;
  row.inputs = output.inputs;
  row.inputAt = output.inputAt;
  row.timeMs = at.timeMs;
  row.value = at.value;
  row.log = Math.log(at.value);
}

const ROWS = 0;
const SERIES_SIZE = 1;
/** Of rows that wait, where forecasts are counted by the rows of their horizon's length: how many, their running mean, truths in it. */
const WAITING = 0;
const WAITING_MEAN = 1;
const WAITING_TRUTHS = 2;
const WAITING_SIZE = 3;
/** A mean of some minutes would make every minute count the same, however many rows it has. */
const WAITING_WEIGHT = 0.0003;
/** A kept forecast that stands for a burst counts as this many horizon's lengths at most. */
const BURST_MAX = 4;
/** A horizon's places before its ring. */
const KEPT = 0;
const BEGIN = 1;
const LENGTH = 2;
const RING = 3;
/** A pending forecast's places before its quantiles. */
const TARGET = 0;
const WEIGHT = 1;
const LOG = 2;
const WIDTH = 3;
const MEDIAN = 4;
const QUANTILES = 5;

interface Part {
  readonly horizon: VerifiedHorizon;
  readonly at: number;
  readonly capacity: number;
  /** Rows or ms between two forecasts that are kept. */
  readonly stride: number;
  readonly calibrationAt: number;
  readonly headAt: number;
  readonly scoresAt: number;
  readonly waitingAt: number;
  readonly aggregationAt: number;
  readonly debtsAt: number;
}

export class Verification {
  readonly outputState: OutputState;
  readonly #options: VerificationOptions;
  readonly #levels: readonly number[];
  readonly #middle: number;
  readonly #parts: readonly Part[];
  readonly #entrySize: number;
  readonly #head: OnlineHead | null;
  readonly #features: Float64Array;
  readonly #aggregation: Aggregation | null;
  readonly #aggregationEntry: number;
  readonly #isByRows: boolean;
  #correction = 0;
  readonly #settled: {
    values: Float64Array;
    quantilesAt: number;
    middle: number;
    weight: number;
    truth: number;
    width: number;
    divisor: number;
    plain: number;
  };

  constructor(
    options: VerificationOptions,
    of: {
      readonly horizons: readonly VerifiedHorizon[];
      readonly levels: readonly number[];
      readonly middle: number;
      readonly inputSize: number;
    },
  ) {
    const { horizons, levels, middle, inputSize } = of;
    this.#options = options;
    this.#levels = levels;
    this.#middle = middle;
    this.#head = options.online === null ? null : new OnlineHead(inputSize, options.online);
    this.#features = new Float64Array(this.#head === null ? 0 : onlineWidth(inputSize));
    this.#entrySize = QUANTILES + levels.length + (this.#head === null ? 0 : 1 + this.#features.length);
    this.#aggregationEntry = this.#entrySize;
    const { aggregation } = options;
    this.#aggregation = aggregation === undefined ? null : new Aggregation(aggregation, of);
    this.#entrySize += this.#aggregation?.entrySize ?? 0;
    this.#isByRows = aggregation !== undefined || options.tick !== undefined;
    let size = SERIES_SIZE + (options.tick === 'auto' ? TICK_GRID_SIZE : 0);
    this.#parts = horizons.map((horizon) => {
      const length = horizon.steps ?? horizon.spanMs ?? 1;
      const capacity = Math.min(options.pending, length);
      const at = size;
      const calibrationAt = at + RING + capacity * this.#entrySize;
      const headAt = calibrationAt + (options.calibration === null ? 0 : calibrationSize(levels.length));
      const scoresAt = headAt + (this.#head === null ? 0 : onlineSize(inputSize));
      const waitingAt = scoresAt + (options.scores === null ? 0 : SCORES_SIZE);
      const aggregationAt = waitingAt + (this.#isByRows ? WAITING_SIZE : 0);
      const debtsAt = aggregationAt + (this.#aggregation?.size ?? 0);
      size = debtsAt + (options.tick === undefined ? 0 : levels.length);
      const places = { calibrationAt, headAt, scoresAt, waitingAt, aggregationAt, debtsAt };
      return { horizon, at, capacity, ...places, stride: Math.ceil(length / capacity) };
    });
    this.outputState = { size, meaning: meaningOf(JSON.stringify([options, of])) };
    this.#settled = {
      values: new Float64Array(0),
      quantilesAt: 0,
      middle,
      weight: 0,
      truth: 0,
      width: 1,
      divisor: 1,
      plain: 0,
    };
  }

  /** Scores what has come true with this row, and learns from it. */
  settle(row: VerifiedRow): void {
    const { state, stateAt } = row;
    state[stateAt + ROWS] += 1;
    if (this.#options.tick === 'auto') observeTick(state, stateAt + SERIES_SIZE, row.value);
    const rows = state[stateAt + ROWS];
    for (let h = 0; h < this.#parts.length; h += 1) {
      const part = this.#parts[h];
      const at = stateAt + part.at;
      const now = part.horizon.steps === null ? row.timeMs : rows;
      while (state[at + LENGTH] > 0) {
        const entry = at + RING + state[at + BEGIN] * this.#entrySize;
        if (!(state[entry + TARGET] <= now)) break;
        // In time the truth is the first value known from then on; in rows it is this row's or none.
        if (!Number.isFinite(row.log) && part.horizon.steps === null) break;
        if (Number.isFinite(row.log)) this.#settleOne(row, part, entry);
        if (this.#isByRows) state[stateAt + part.waitingAt + WAITING] -= state[entry + WEIGHT];
        state[at + BEGIN] = (state[at + BEGIN] + 1) % part.capacity;
        state[at + LENGTH] -= 1;
      }
    }
  }

  #settleOne(row: VerifiedRow, part: Part, entry: number): void {
    const { state, stateAt } = row;
    const { calibration, scores } = this.#options;
    const one = this.#settled;
    one.values = state;
    one.quantilesAt = entry + QUANTILES;
    one.weight = state[entry + WEIGHT];
    one.truth = row.log - state[entry + LOG];
    one.width = state[entry + WIDTH];
    one.plain = state[entry + MEDIAN];
    if (!Number.isFinite(one.truth)) return;
    // Forecasts whose times overlap err together: many of them say little more than one.
    one.divisor = this.#isByRows
      ? Math.max(one.weight / BURST_MAX, this.#rowsWaiting(state, stateAt + part.waitingAt))
      : Math.sqrt(state[stateAt + part.at + LENGTH]);
    if (this.#aggregation !== null) {
      const saidAt = entry + this.#aggregationEntry;
      this.#aggregation.learn(state, stateAt + part.aggregationAt, one, saidAt);
      one.plain = this.#aggregation.medianOf(state, saidAt) / one.width;
    }
    if (this.#options.tick !== undefined) oweTick(state, stateAt + part.debtsAt, this.#levels, one);
    if (calibration !== null) track(state, stateAt + part.calibrationAt, this.#levels, one, calibration);
    if (scores !== null) score(state, stateAt + part.scoresAt, this.#levels, one, scores.memory);
    if (this.#head === null) return;
    const saidAt = entry + QUANTILES + this.#levels.length;
    const features = state.subarray(saidAt + 1, saidAt + 1 + this.#features.length);
    const residual = one.truth / one.width - state[entry + MEDIAN];
    this.#head.learn(state, stateAt + part.headAt, features, { residual, correction: state[saidAt] });
  }

  /** Rows of a horizon's length, in the mean. */
  #rowsWaiting(state: Float64Array, at: number): number {
    state[at + WAITING_TRUTHS] += 1;
    const newest = Math.max(WAITING_WEIGHT, 1 / state[at + WAITING_TRUTHS]);
    state[at + WAITING_MEAN] += newest * (state[at + WAITING] - state[at + WAITING_MEAN]);
    return Math.max(1, state[at + WAITING_MEAN]);
  }

  /** Corrects the quantiles, log returns that rise, of a forecast of horizon `h` that is `width` wide, and keeps it until its truth comes. */
  take(row: VerifiedRow, h: number, quantiles: Float64Array, width: number): void {
    const { state, stateAt } = row;
    const part = this.#parts[h];
    const median = quantiles[this.#middle] / width;
    if (this.#head !== null) {
      writeFeatures(this.#features, median, row);
      this.#correction = correctionOf(state, stateAt + part.headAt, this.#features);
      const shift = isWorth(state, stateAt + part.headAt) ? this.#correction * width : 0;
      for (let i = 0; i < quantiles.length; i += 1) quantiles[i] += shift;
    }
    const middle = this.#middle;
    if (this.#aggregation !== null) {
      const { inputs, inputAt } = row;
      this.#aggregation.predict(state, stateAt + part.aggregationAt, quantiles, { width, inputs, inputAt });
    }
    if (this.#options.calibration !== null)
      calibrate(state, stateAt + part.calibrationAt, quantiles, {
        ...{ middle, width },
        isNaiveHeard: this.#aggregation === null,
      });
    const found = this.#options.tick;
    const tick = found === 'auto' ? tickOf(state, stateAt + SERIES_SIZE) : (found ?? 0);
    if (tick > 0) putOnTicks(state, stateAt + part.debtsAt, quantiles, { value: row.value, tick, middle });
    this.#keep(row, part, quantiles, { width, median });
  }

  #keep(
    row: VerifiedRow,
    part: Part,
    quantiles: Float64Array,
    { width, median }: { readonly width: number; readonly median: number },
  ): void {
    const { state, stateAt } = row;
    const at = stateAt + part.at;
    const now = part.horizon.steps === null ? row.timeMs : state[stateAt + ROWS];
    const isEarly = state[at + KEPT] !== 0 && now < state[at + KEPT] + part.stride;
    const isFull = isEarly || state[at + LENGTH] === part.capacity;
    if (isFull && state[at + LENGTH] === 0) return;
    const isKnown = Number.isFinite(row.log) && areFinite(quantiles);
    if (!isFull && !isKnown) return;
    if (!isFull) {
      state[at + KEPT] = now;
      state[at + LENGTH] += 1;
    }
    const newest = (state[at + BEGIN] + state[at + LENGTH] - 1) % part.capacity;
    const entry = at + RING + newest * this.#entrySize;
    const weight = isFull ? state[entry + WEIGHT] + 1 : 1;
    state[entry + WEIGHT] = weight;
    if (this.#isByRows) state[stateAt + part.waitingAt + WAITING] += 1;
    if (isKnown && drawnOf(state[stateAt + ROWS]) * weight < 1)
      this.#write(row, part, entry, quantiles, { width, median });
  }

  /** Everything of an entry but what it stands for. */
  #write(
    row: VerifiedRow,
    { horizon: { steps, spanMs } }: Part,
    entry: number,
    quantiles: Float64Array,
    { width, median }: { readonly width: number; readonly median: number },
  ): void {
    const { state, stateAt, log } = row;
    state[entry + TARGET] = (steps === null ? row.timeMs : state[stateAt + ROWS]) + (steps ?? spanMs ?? 0);
    state[entry + LOG] = log;
    state[entry + WIDTH] = width;
    state[entry + MEDIAN] = median;
    for (let i = 0; i < quantiles.length; i += 1) state[entry + QUANTILES + i] = quantiles[i];
    this.#aggregation?.keep(state, entry + this.#aggregationEntry);
    if (this.#head === null) return;
    const saidAt = entry + QUANTILES + quantiles.length;
    state[saidAt] = this.#correction;
    state.set(this.#features, saidAt + 1);
  }

  /** Fields of the horizon's point of measurement `score`; null where none is due. */
  scoreFields(row: VerifiedRow, h: number): string | null {
    const { scores } = this.#options;
    const at = row.stateAt + this.#parts[h].scoresAt;
    return scores !== null && isPointDue(row.state, at, scores) ? takeScoreFields(row.state, at) : null;
  }
}

function areFinite(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i += 1) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** A number of 0 to 1 for the row with this number, as good as drawn: the finaliser of MurmurHash3. */
function drawnOf(row: number): number {
  let x = row ^ 0x9e3779b9;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 0x1_0000_0000;
}

/** FNV-1a, 32 bits. */
function meaningOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
