import { mulberry32, normal } from './random.ts';
import type { SourceRecord } from './source-record.ts';

export interface GeneratedTicksOptions {
  readonly seed: number;
  readonly symbols: number;
  readonly records: number;
  /** Epoch ms of the first tick. */
  readonly startMs?: number;
}

const START_MS = Date.UTC(2024, 0, 2, 14, 30);
/** GARCH(1,1): variance = OMEGA + ALPHA * shock^2 + BETA * variance (Bollerslev 1986). */
const OMEGA = 0.02;
const ALPHA = 0.1;
const BETA = 0.88;
const GAP_MS_MEAN = 40;
const TICK = 0.01;

/**
 * A generated (not real) many-symbol feed, symbols GEN001...: returns with GARCH volatility and a little negative autocorrelation, as the bounce between
 * bid and ask gives, sizes and gaps that burst with it. The same options give the same records.
 */
export function* generatedTicks(options: GeneratedTicksOptions): Generator<SourceRecord> {
  const { seed, symbols, records, startMs = START_MS } = options;
  const random = mulberry32(seed);
  const series = Array.from({ length: symbols }, (_, i) => ({
    symbol: `GEN${String(i + 1).padStart(3, '0')}`,
    price: 20 + 180 * random(),
    scale: 1e-4 * (0.5 + 2 * random()),
    variance: 1,
    shock: 0,
  }));
  let ts = startMs;
  for (let i = 0; i < records; i += 1) {
    // Squared, so that some symbols trade much more often than others.
    const one = series[Math.floor(random() * random() * symbols)];
    one.variance = OMEGA + ALPHA * one.shock * one.shock + BETA * one.variance;
    const previous = one.shock;
    one.shock = Math.sqrt(one.variance) * normal(random);
    one.price *= Math.exp(one.scale * (one.shock - 0.25 * previous));
    const volatility = Math.sqrt(one.variance);
    const size = Math.max(1, Math.round(Math.exp(3 + 1.2 * normal(random) + 0.5 * volatility)));
    const price = Math.max(TICK, Math.round(one.price / TICK) * TICK);
    ts += Math.floor((-Math.log(1 - random()) * GAP_MS_MEAN) / (0.5 + volatility));
    yield {
      topic: 'ticks',
      key: one.symbol,
      value: JSON.stringify({ symbol: one.symbol, ts, price: Number(price.toFixed(2)), size }),
      timestampMs: ts,
    };
  }
}
