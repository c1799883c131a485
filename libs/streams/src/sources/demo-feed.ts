import { generatedCallVolume } from './generated-call-volume.ts';
import { generatedCalls } from './generated-calls.ts';
import { generatedTicks } from './generated-ticks.ts';
import { realPrices } from './real-prices.ts';
import type { SourceRecord } from './source-record.ts';

const GENERATED_SYMBOLS = 24;
const GENERATED_TICKS = 16_000;
const CALLS = 180;
const VOLUME_DAYS = 42;

/**
 * The feed of `npm start`: real prices, generated ticks and generated calls side by side, about 25,000 records. Each source keeps its own order and its own
 * event times; they are interleaved in proportion to their lengths, so that all of them run from the first second to the last. `callVolume`: with six weeks
 * of generated call volumes.
 */
export function* demoFeed(options: { readonly seed: number; readonly callVolume?: boolean }): Generator<SourceRecord> {
  const sources = [
    realPrices(),
    [...generatedTicks({ seed: options.seed, symbols: GENERATED_SYMBOLS, records: GENERATED_TICKS })],
    [...generatedCalls({ seed: options.seed, calls: CALLS })],
    ...(options.callVolume ? [[...generatedCallVolume({ seed: options.seed, days: VOLUME_DAYS })]] : []),
  ];
  const at = sources.map(() => 0);
  const total = sources.reduce((sum, records) => sum + records.length, 0);
  for (let i = 0; i < total; i += 1) {
    // The source that is furthest behind its share.
    let next = -1;
    sources.forEach((records, s) => {
      if (at[s] < records.length && (next === -1 || at[s] / records.length < at[next] / sources[next].length)) next = s;
    });
    yield sources[next][at[next]];
    at[next] += 1;
  }
}
