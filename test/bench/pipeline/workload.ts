/** The peers' standard job (see test/bench/peers/tideline): JSON ticks of about 110 bytes, one a millisecond, and the network that forecasts from them. */
import { createModel, initWeights, type Model, type ModelSpec } from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';

/** Symbols by variant. */
export const VARIANTS = { uniform: 1_000, hot: 1, wide: 100_000 } as const;
export type Variant = keyof typeof VARIANTS;

/** The record of `ts` BASE_MS + i is number i: the event time names it. */
export const BASE_MS = 1_767_225_600_000;

export interface TickRecord {
  readonly key: string;
  readonly value: string;
  readonly timestampMs: number;
}

/** A random walk in cents for each symbol, which a uniform draw chooses. Seeded: the same records every time. */
export function* standardTicks(variant: Variant, records: number): Generator<TickRecord> {
  const random = mulberry32(1);
  const symbols = VARIANTS[variant];
  const cents = Int32Array.from({ length: symbols }, () => 5_000 + Math.floor(random() * 45_000));
  for (let i = 0; i < records; i += 1) {
    const symbol = Math.floor(random() * symbols);
    cents[symbol] = Math.max(100, cents[symbol] + Math.floor(random() * 11) - 5);
    const key = `S${String(symbol).padStart(4, '0')}`;
    const size = 1 + Math.floor(random() * 999);
    const rest = `"size":${size},"side":"${random() < 0.5 ? 'B' : 'S'}","venue":"XLON","seq":${1_000_000 + i}`;
    const value = `{"symbol":"${key}","ts":${BASE_MS + i},"price":${(cents[symbol] / 100).toFixed(2)},${rest}}`;
    yield { key, value, timestampMs: BASE_MS + i };
  }
}

const SPEC: ModelSpec = { name: 'peers-lstm', cell: 'lstm', inputSize: 4, hiddenSize: 64, layers: 2, outputSize: 3 };

/** LSTM 4 -> 64 x 2 -> 3 with drawn weights: its forecasts mean nothing, its cost is the job's. */
export function standardModel(): Model {
  return createModel(SPEC, initWeights(SPEC, mulberry32(2)));
}
