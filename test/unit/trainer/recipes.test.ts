/** Recipes over generated data in the form of theirs: their own data is not part of this repository. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SeededRandom } from '@tideline/nn';
import { type BacktestResult, eventRows, recipeOf, runRecipe } from '@tideline/trainer';

const DAY_MS = 86_400_000;

function normalOf(random: SeededRandom): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** The first `count` weekdays from a Monday on. */
function weekdays(from: string, count: number): string[] {
  const start = Date.parse(from);
  return Array.from({ length: count }, (_, i) =>
    new Date(start + (Math.floor(i / 5) * 7 + (i % 5)) * DAY_MS).toISOString().slice(0, 10),
  );
}

async function runOn(
  recipe: string,
  files: Readonly<Record<string, string>>,
  seeds: number[],
): Promise<BacktestResult> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'tideline-recipe-'));
  const { folder } = recipeOf(recipe);
  await mkdir(join(dataFolder, folder));
  try {
    for (const [name, text] of Object.entries(files))
      await writeFile(join(dataFolder, folder, name), name.endsWith('.gz') ? gzipSync(text) : text);
    return await runRecipe(recipeOf(recipe), { dataFolder, seeds, progress: () => undefined });
  } finally {
    await rm(dataFolder, { recursive: true });
  }
}

/** Realised variance whose log goes back to its mean; a second measure of the day tells a part of the next one. */
function volatilityCsv(days: number): string {
  const normal = normalOf(new SeededRandom(31, 0));
  let [level, hint] = [0, 0];
  const lines = weekdays('2014-01-06', days).map((date) => {
    level = 0.8 * level + 0.4 * hint + 0.3 * normal();
    hint = normal();
    const rv = Math.exp(level - 10);
    const cells = [rv * Math.exp(0.5 * hint), rv, rv * 0.95, rv * 0.9, rv, rv, 0.05, 100 * Math.exp(0.01 * normal())];
    return [date, ...cells].join(',');
  });
  return `date,RV1,RV5,BPV5,medRV5,RK5,RK1,RQ5,CLOSE\n${lines.join('\n')}\n`;
}

test('spy-volatility beats a log-HAR where another measure of the day tells of the next', async () => {
  const result = await runOn('spy-volatility', { 'spy_realized.csv': volatilityCsv(1_150) }, [1]);
  const [table] = result.tables;
  const [{ figures }] = table.seeds;
  const baseline = (name: string): number =>
    table.baselines.find((one) => one.name === name)?.figures['log MSE'] ?? Number.NaN;
  assert.deepEqual(result.data.steps, 1_150);
  assert.match(result.split, /^training 596 days, validation the 153 after them .*, test the 379 after those/);
  assert(figures['log MSE'] < 0.75 * baseline('log-HAR'), `${figures['log MSE']} ${baseline('log-HAR')}`);
  // The noise has a variance of 0.09: nobody can do better.
  assert(figures['log MSE'] > 0.06);
  assert(figures['coverage 80 %'] > 0.7 && figures['coverage 80 %'] < 0.9);
  assert.equal(result.tracks[0].truth.length, 379);
  await assert.rejects(
    runOn('spy-volatility', { 'spy_realized.csv': volatilityCsv(200) }, [1]),
    /The series has 200 days: the split needs 322/,
  );
});

/** Shares of which each day goes on with the one before it more often than not. */
function movements(tickers: readonly string[]): Readonly<Record<string, string>> {
  const random = new SeededRandom(8, 0);
  const normal = normalOf(random);
  const days = weekdays('2013-09-02', 300);
  const partOf = (day: number): string => (day < 200 ? 'train' : day < 240 ? 'val' : 'test');
  const bars = ['date,ticker,open,high,low,close,adj_close,volume'];
  const targets = ['date,ticker,up,split'];
  const last = new Map(tickers.map((ticker) => [ticker, { price: 100, move: 0.01 }]));
  days.forEach((date, day) => {
    for (const ticker of tickers) {
      const before = last.get(ticker) ?? { price: 100, move: 0.01 };
      const goesOn = random.next() < 0.75;
      const move = Math.sign(before.move) * (goesOn ? 1 : -1) * (0.008 + 0.004 * Math.abs(normal()));
      const price = before.price * (1 + move);
      last.set(ticker, { price, move });
      bars.push([date, ticker, before.price, 1.02 * price, 0.98 * price, price, price, 1_000].join(','));
      if (day >= 60) targets.push([date, ticker, move > 0 ? 1 : 0, partOf(day)].join(','));
    }
  });
  return { 'bars.csv.gz': bars.join('\n'), 'targets.csv.gz': targets.join('\n') };
}

test('stock-acl18 finds a movement that goes on, on every seed, and shows validation apart from test', async () => {
  const result = await runOn('stock-acl18', movements(['A', 'B', 'C', 'D']), [1, 2]);
  const [shown, protocol, validation] = result.tables;
  assert.equal(
    result.split,
    'targets and parts of targets.csv.gz: train 560 movements, val 160 movements, test 240 movements',
  );
  for (const { figures } of shown.seeds) assert(figures.MCC > 0.3, `MCC ${figures.MCC}`);
  assert.equal(shown.baselines.find(({ name }) => name === 'always up')?.figures.MCC, 0);
  const momentum = shown.baselines.find(({ name }) => name === 'as the last day')?.figures.MCC ?? 0;
  assert(momentum > 0.4 && momentum < 0.6);
  assert.match(validation.title, /^validation.* trained without it$/);
  assert.match(protocol.title, /^test.* trained without the validation days$/);
  for (const { figures } of [...protocol.seeds, ...validation.seeds]) assert(figures.MCC > 0.3, `MCC ${figures.MCC}`);
  assert.equal(result.model.members, 5);
  assert.equal(validation.published.length, 0);
  // The probabilities of the first seed are there for the plots, and are those that its figures are made of.
  const rows = eventRows(result.tracks);
  const hits = rows.filter(({ probability, came }) => probability > 0.5 === came).length;
  assert.equal(rows.length, 240);
  assert(Math.abs((100 * hits) / 240 - shown.seeds[0].figures['accuracy %']) < 1e-9);

  // Bars alone: every movement here is clear, so the protocol's rule makes the same targets; its parts are cut by shares of the days.
  const { 'bars.csv.gz': bars } = movements(['A', 'B', 'C', 'D']);
  const ruled = await runOn('stock-acl18', { 'bars.csv.gz': bars }, [1]);
  assert.match(
    ruled.split,
    /^targets and parts by the protocol's rule .*: train \d+ movements, val 100 movements, test 152 movements$/,
  );
  assert(ruled.tables[0].seeds[0].figures.MCC > 0.3);
});
