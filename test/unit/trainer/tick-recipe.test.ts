/** The recipe of trades and quotes over generated ones, and how sure its comparison is. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SeededRandom } from '@tideline/nn';
import { ratioError, recipeOf, runRecipe } from '@tideline/trainer';

const BEGIN_US = 1_410_946_200_000_000;

function normalOf(seed: number): () => number {
  const random = new SeededRandom(seed, 0);
  return () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** A price about every two seconds that goes on as it went, on ticks of a cent, bought and sold in turn. */
function pricesOf(
  seed: number,
  count: number,
): { readonly us: number; readonly middle: number; readonly side: number }[] {
  const normal = normalOf(seed);
  let [us, log, drift] = [BEGIN_US, Math.log(100), 0];
  return Array.from({ length: count }, () => {
    us += 1_000_000 + Math.floor(500_000 * Math.abs(normal()));
    drift = 0.9 * drift + 2e-5 * normal();
    log += drift;
    return { us, middle: Math.exp(log), side: normal() > 0 ? 1 : -1 };
  });
}

test('ticks-hf: trades and quotes, each symbol and horizon against the best baseline, with an error of the comparison', async () => {
  const cents = (price: number): string => price.toFixed(2);
  const trades = ['AB', 'CD'].flatMap((symbol, i) =>
    pricesOf(i + 1, 1_500).map(({ us, middle, side }) => [us, symbol, cents(middle + 0.01 * side), 100].join(',')),
  );
  const quotes = pricesOf(3, 1_500).map(({ us, middle }) =>
    [us, 'EF', 'N', cents(middle - 0.01), 3, cents(middle + 0.01), 5].join(','),
  );
  const dataFolder = await mkdtemp(join(tmpdir(), 'tideline-recipe-'));
  const folder = join(dataFolder, recipeOf('ticks-hf').folder);
  try {
    await mkdir(folder);
    const write = (name: string, lines: readonly string[]): Promise<void> =>
      writeFile(join(folder, name), gzipSync(lines.join('\n')));
    await write('trades_multi.csv.gz', ['ts_us,symbol,price,size', ...trades]);
    await write('quotes_raw.csv.gz', ['ts_us,symbol,exchange,bid,bid_size,ask,ask_size', ...quotes]);
    const options = { dataFolder, seeds: [1], progress: () => undefined };
    const { tables, tracks } = await runRecipe(recipeOf('ticks-hf'), options);
    const names = tables.map(({ title }) => title.slice(0, title.indexOf(' ahead')));
    assert.deepEqual(
      names,
      ['AB', 'CD', 'EF'].flatMap((symbol) => ['1s', '10s', '60s'].map((horizon) => `${symbol}, ${horizon}`)),
    );
    assert.equal(tracks.length, names.length);
    for (const { title, seeds, baselines } of tables) {
      const { figures } = seeds[0];
      const best = Math.min(...baselines.map((baseline) => baseline.figures['pinball, 1e-6']));
      assert(Math.abs(figures['against the best baseline'] - figures['pinball, 1e-6'] / best) < 1e-12);
      assert(figures['standard error of the ratio'] > 0, title);
      assert(
        figures['coverage 80 %'] > 0.65 && figures['coverage 80 %'] < 0.95,
        `${title}: ${figures['coverage 80 %']}`,
      );
    }
    // The bounce between both sides is what the next second brings.
    for (const i of [0, 3, 6]) assert(tables[i].seeds[0].figures['against the best baseline'] < 1, tables[i].title);
  } finally {
    await rm(dataFolder, { recursive: true });
  }
});

test("a ratio's standard error is how far it moves from one draw to another, where losses within ten minutes go together", () => {
  const normal = normalOf(9);
  const levels = [0.5];
  const rows = Array.from({ length: 600 }, (_, i) => i);
  const timeMs = Float64Array.from(rows, (i) => i * 30_000);
  const zero = [0];
  const drawn = Array.from({ length: 400 }, () => {
    const truth = new Float64Array(rows.length);
    const said = new Float64Array(rows.length);
    for (const i of rows) {
      if (i % 20 === 0) said[i] = 0.5 * normal();
      else said[i] = said[i - 1];
      truth[i] = normal();
    }
    const ours = (row: number): number[] => [said[row]];
    const sum = (of: (row: number) => number): number => rows.reduce((total, row) => total + of(row), 0);
    const ratio = sum((i) => Math.abs(truth[i] - said[i])) / sum((i) => Math.abs(truth[i]));
    return { ratio, error: ratioError(ours, () => zero, { rows, truth, timeMs }, levels) };
  });
  const mean = drawn.reduce((sum, { ratio }) => sum + ratio, 0) / drawn.length;
  const spread = Math.sqrt(drawn.reduce((sum, { ratio }) => sum + (ratio - mean) ** 2, 0) / drawn.length);
  const stated = drawn.reduce((sum, { error }) => sum + error, 0) / drawn.length;
  assert(stated > 0.85 * spread && stated < 1.15 * spread, `${stated} stated, ${spread} found`);
  const same = ratioError(
    () => [1],
    () => [1],
    { rows, truth: new Float64Array(rows.length), timeMs },
    levels,
  );
  assert.equal(same, 0);
});
