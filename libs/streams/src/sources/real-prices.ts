/**
 * Real prices that npm packages ship: daily S&P 500 closes 2000-2020 and monthly closes of five stocks 2000-2010 (vega-datasets, BSD-3-Clause), daily
 * Apple closes 2013-2018 (@observablehq/sample-datasets, ISC).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { SourceRecord } from './source-record.ts';

const REQUIRE = createRequire(import.meta.url);

/** All of them, in event-time order. */
export function realPrices(): SourceRecord[] {
  const vega = join(dirname(REQUIRE.resolve('vega-datasets')), '..', 'data');
  const sp500 = readCsv(join(vega, 'sp500-2000.csv')).map((row) =>
    daily('SP500', row.date, Number(row.close), Number(row.volume)),
  );
  const stocks = readCsv(join(vega, 'stocks.csv')).map((row) => daily(row.symbol, row.date, Number(row.price)));
  const aapl = readCsv(REQUIRE.resolve('@observablehq/sample-datasets/aapl.csv')).map((row) =>
    daily('AAPL-DAILY', row.Date, Number(row.Close), Number(row.Volume)),
  );
  return [...sp500, ...stocks, ...aapl].sort((a, b) => a.timestampMs - b.timestampMs);
}

function readCsv(path: string): Record<string, string>[] {
  return parse(readFileSync(path), { columns: true, bom: true, skip_empty_lines: true });
}

function daily(symbol: string, date: string, price: number, size?: number): SourceRecord {
  const ts = Date.parse(/^\d{4}-/.test(date) ? `${date}T00:00:00Z` : `${date} UTC`);
  return {
    topic: 'ticks',
    key: symbol,
    value: JSON.stringify({ symbol, ts, price, ...(size ? { size } : {}) }),
    timestampMs: ts,
  };
}
