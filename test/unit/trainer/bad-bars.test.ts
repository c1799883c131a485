/** Daily bars as they come: with splits, impossible prices, bars sent twice, days without any, and symbols that are new. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { SeededRandom } from '@tideline/nn';
import { readStreamFile, type SourceRecord } from '@tideline/streams';
import { backtestStream, recipeOf, runRecipe } from '@tideline/trainer';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2019-01-01');
const DAYS = 400;
const STREAM = fileURLToPath(new URL('../../../../docs/streams/daily-bars.yaml', import.meta.url));

const folder = await mkdtemp(join(tmpdir(), 'tideline-bad-bars-'));
after(() => rm(folder, { recursive: true }));

interface Bar {
  readonly date: string;
  readonly ticker: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly adj_close: number;
  readonly volume: number;
}

function barsOf(ticker: string, days: number, seed: number): Bar[] {
  const random = new SeededRandom(seed, 0);
  let price = 100;
  return Array.from({ length: days }, (_, day) => {
    const open = price;
    price *= 1 + 0.04 * (random.next() - 0.5);
    const date = new Date(START_MS + day * DAY_MS).toISOString().slice(0, 10);
    const [high, low] = [1.01 * Math.max(open, price), 0.99 * Math.min(open, price)];
    return { date, ticker, open, high, low, close: price, adj_close: price, volume: 1_000 + day };
  });
}

/** By day, as a market sends them. */
function recordsOf(bars: readonly Bar[]): SourceRecord[] {
  return [...bars]
    .sort((a, b) => a.date.localeCompare(b.date))
    .map((bar) => ({
      ...{ topic: 'daily-bars', key: bar.ticker, value: JSON.stringify(bar), timestampMs: Date.parse(bar.date) },
    }));
}

const RUN = {
  ...{ declaration: readStreamFile(STREAM), files: [], model: null, season: null },
  network: { cell: 'gru', hiddenSize: 3, layers: 1 },
  ...{ epochs: 1, patience: 1, learningRate: 1e-2, seeds: [1], folds: 1, progress: () => undefined },
} as const;

test('bars with every known fault are counted with their reason, and cost the others no forecast', async () => {
  const clean = barsOf('AAA', DAYS, 1);
  const holes = clean.filter((_, day) => day % 50 !== 20);
  const zero = { ...clean[20], close: 0 };
  const negative = { ...clean[70], low: -3 };
  const twice = clean[100];
  const bars = [...holes, zero, negative, twice, ...barsOf('NEW', 15, 2)];
  const { data, tables, notes } = await backtestStream({ ...RUN, records: recordsOf(bars) });
  assert.deepEqual([data.series, data.steps, data.records], [1, holes.length, bars.length]);
  const refused = Object.entries(data.refused);
  const count = (reason: RegExp): number => refused.find(([text]) => reason.test(text))?.[1] ?? 0;
  assert.equal(count(/'close'.*above 0/), 1, JSON.stringify(data.refused));
  assert.equal(count(/'low'.*above 0/), 1);
  assert.equal(count(/late or repeated/), 1);
  assert.equal(count(/series with less than \d+ steps: no forecast/), 1);
  assert(!notes.some((note) => note.startsWith('WARNING')));
  // The same figures as of the bars that are good.
  const good = await backtestStream({ ...RUN, records: recordsOf(holes) });
  assert.deepEqual(tables, good.tables);
});

test('a split that nobody adjusted is warned of; an adjusted column has none', async () => {
  const bars = barsOf('AAA', DAYS, 1);
  const split = (bar: Bar, day: number): Bar => (day < 200 ? bar : { ...bar, close: bar.close / 4 });
  const adjusted = await backtestStream({ ...RUN, records: recordsOf(bars.map(split)) });
  assert(!adjusted.notes.some((note) => note.startsWith('WARNING')));
  const raw = bars.map(split).map((bar) => ({ ...bar, adj_close: bar.close }));
  const { notes } = await backtestStream({ ...RUN, records: recordsOf(raw) });
  assert(
    notes.some((note) => /^WARNING: 1 log returns of 'adj_close' are beyond 0.4: splits .* split_guard/.test(note)),
  );
});

test('stock-acl18 tells the same faults, and a symbol that is too new has no forecast', async () => {
  const good = ['A', 'B'].flatMap((ticker, i) => barsOf(ticker, DAYS, 10 + i));
  const split = barsOf('C', DAYS, 12).map((bar, day) => (day < 350 ? bar : { ...bar, adj_close: bar.adj_close / 10 }));
  const bars = [...good, ...split, { ...good[9], adj_close: -1 }, good[30], ...barsOf('NEW', 25, 3)];
  const head = ['date', 'ticker', 'open', 'high', 'low', 'close', 'adj_close', 'volume'] as const;
  const lines = recordsOf(bars).map(({ value }) => {
    const bar = JSON.parse(value) as Bar;
    return head.map((name) => bar[name]).join(',');
  });
  await mkdir(join(folder, recipeOf('stock-acl18').folder));
  const path = join(folder, recipeOf('stock-acl18').folder, 'bars.csv.gz');
  await writeFile(path, gzipSync(`${head.join(',')}\n${lines.join('\n')}\n`));
  const recipe = recipeOf('stock-acl18');
  const { data, notes, tracks } = await runRecipe(recipe, {
    dataFolder: folder,
    seeds: [1],
    progress: () => undefined,
  });
  const refused = Object.entries(data.refused);
  assert.deepEqual(
    refused.map(([reason, count]) => [reason.replace(/: .*/, ''), count]),
    [
      ['records refused', 1],
      ['records late or repeated', 1],
      ['series with less than 31 days', 1],
    ],
  );
  assert.match(refused[0][0], /'adj_close'.*above 0/);
  assert(notes.some((note) => /^WARNING: 1 log returns of 'adj_close' are beyond 0.4/.test(note)));
  assert.deepEqual(tracks.map(({ series }) => series).sort(), ['A', 'B', 'C']);
});
