/**
 * Bars out of ticks, in the state of each series: the network steps when a bar closes, and its features are made of the closed bar.
 *
 * A time bar closes with the first tick of a later one: nobody can know before that nothing more will come. A tick of a bar that is closed already changes
 * nothing. A bar of ticks or of volume closes with the tick that fills it. A stretch of time without a tick has no bar.
 */
import { TIME_PLACE } from './operator.ts';

export type BarRule =
  | { readonly kind: 'time'; readonly spanMs: number; readonly offsetMs: number }
  | { readonly kind: 'ticks'; readonly count: number }
  | { readonly kind: 'volume'; readonly size: number };

/** Values of a bar, in this order; after them the fields' last known values within it. */
export const BAR_VALUES = ['open', 'high', 'low', 'close', 'volume', 'ticks', 'vwap'] as const;

/** Places in the state: ticks of the open bar (0: none is open), number of its span, its values; then the last of each field. */
const B = { ticks: 0, span: 1, open: 2, high: 3, low: 4, close: 5, volume: 6, turnover: 7 } as const;
const HEAD = 8;

export interface Bars {
  readonly stateSize: number;
  /** Takes the tick whose time and fields stand in `tick`; whether a bar closed, which then stands in `values`: time, BAR_VALUES, fields. */
  take(tick: Float64Array, values: Float64Array, state: Float64Array, at: number): boolean;
}

/** `price` and `volume` are places in `tick`; volume -1: there is none. */
export function createBars(
  rule: BarRule,
  places: { readonly price: number; readonly volume: number; readonly fields: number },
): Bars {
  const { price, volume, fields } = places;
  const add = (tick: Float64Array, state: Float64Array, at: number): void => {
    const value = tick[price];
    const size = volume === -1 || Number.isNaN(tick[volume]) ? 0 : tick[volume];
    const isFirst = state[at + B.ticks] === 0;
    if (isFirst) state[at + B.open] = value;
    if (isFirst || value > state[at + B.high]) state[at + B.high] = value;
    if (isFirst || value < state[at + B.low]) state[at + B.low] = value;
    state[at + B.close] = value;
    state[at + B.ticks] += 1;
    state[at + B.volume] += size;
    state[at + B.turnover] += size * value;
    for (let i = 0; i < fields; i += 1) {
      const last = tick[TIME_PLACE + 1 + i];
      if (isFirst || !Number.isNaN(last)) state[at + HEAD + i] = last;
    }
  };
  const close = (timeMs: number, values: Float64Array, state: Float64Array, at: number): void => {
    const size = state[at + B.volume];
    values[TIME_PLACE] = timeMs;
    let place = TIME_PLACE + 1;
    for (const part of [B.open, B.high, B.low, B.close, B.volume, B.ticks]) values[place++] = state[at + part];
    values[place++] = size > 0 ? state[at + B.turnover] / size : state[at + B.close];
    for (let i = 0; i < fields; i += 1) values[place + i] = state[at + HEAD + i];
    state.fill(0, at, at + HEAD + fields);
  };
  const isFull =
    rule.kind === 'ticks'
      ? (state: Float64Array, at: number): boolean => state[at + B.ticks] >= rule.count
      : rule.kind === 'volume'
        ? (state: Float64Array, at: number): boolean => state[at + B.volume] >= rule.size
        : (): boolean => false;
  const take = (tick: Float64Array, values: Float64Array, state: Float64Array, at: number): boolean => {
    if (rule.kind !== 'time') {
      add(tick, state, at);
      if (!isFull(state, at)) return false;
      close(tick[TIME_PLACE], values, state, at);
      return true;
    }
    const span = Math.floor((tick[TIME_PLACE] + rule.offsetMs) / rule.spanMs);
    const open = state[at + B.span];
    const isOpen = state[at + B.ticks] > 0;
    if (isOpen && span < open) return false;
    const closes = isOpen && span > open;
    if (closes) close((open + 1) * rule.spanMs - rule.offsetMs, values, state, at);
    state[at + B.span] = span;
    add(tick, state, at);
    return closes;
  };
  return { stateSize: HEAD + fields, take };
}
