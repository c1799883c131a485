/** What recipe stock-acl18 knows of the days to come: nothing. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SeededRandom } from '@tideline/nn';
import { type BacktestResult, recipeOf, runRecipe } from '@tideline/trainer';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2018-01-01');
const DAYS = 200;
/** Without targets.csv.gz the parts are cut by shares of the days: the test begins on day 175. */
const TEST_DAY = Math.floor(0.875 * DAYS);

const folder = await mkdtemp(join(tmpdir(), 'tideline-look-ahead-'));
after(() => rm(folder, { recursive: true }));

/** Moves of every ticker and day; those from day `from` on are in another order. */
function movesOf(tickers: number, from: number): number[][] {
  const [random, order] = [new SeededRandom(41, 0), new SeededRandom(42, 0)];
  return Array.from({ length: tickers }, () => {
    const moves = Array.from({ length: DAYS }, () => 0.06 * (random.next() - 0.5));
    return [...moves.slice(0, from), ...order.shuffled(moves.slice(from))];
  });
}

async function run(name: string, from: number): Promise<BacktestResult> {
  const recipe = recipeOf('stock-acl18');
  const lines = ['date,ticker,open,high,low,close,adj_close,volume'];
  const moves = movesOf(3, from);
  const prices = moves.map(() => 100);
  for (let day = 0; day < DAYS; day += 1)
    moves.forEach((of, ticker) => {
      const open = prices[ticker];
      const close = open * (1 + of[day]);
      prices[ticker] = close;
      const date = new Date(START_MS + day * DAY_MS).toISOString().slice(0, 10);
      lines.push([date, `T${ticker}`, open, 1.01 * close, 0.97 * close, close, close, 1_000].join(','));
    });
  await mkdir(join(folder, name, recipe.folder), { recursive: true });
  await writeFile(join(folder, name, recipe.folder, 'bars.csv.gz'), gzipSync(`${lines.join('\n')}\n`));
  return runRecipe(recipe, { dataFolder: join(folder, name), seeds: [1], progress: () => undefined });
}

test('the test days change no bit of the model, nor of a forecast made before them', async () => {
  const result = await run('plain', DAYS);
  const shuffledTest = await run('test', TEST_DAY);
  assert.equal(shuffledTest.trained?.model.digest, result.trained?.model.digest);
  // The forecast of the first test day is made the day before.
  const first = ({ tracks }: BacktestResult): number[] =>
    tracks.map(({ forecast, timeMs }) => (timeMs[0] === START_MS + (TEST_DAY - 1) * DAY_MS ? forecast[0] : Number.NaN));
  const known = first(result).map((value, i) => [value, first(shuffledTest)[i]]);
  assert(known.some(([a, b]) => Number.isFinite(a) && Number.isFinite(b)));
  for (const [a, b] of known) if (Number.isFinite(a) && Number.isFinite(b)) assert.equal(a, b);
  assert.notDeepEqual(shuffledTest.tables[0].seeds, result.tables[0].seeds);
});
