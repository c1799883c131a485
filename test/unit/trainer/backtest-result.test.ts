import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tableBytes } from '@tideline/adapters';
import {
  type BacktestResult,
  coverageByBlock,
  figuresTable,
  forecastsTable,
  RECIPES,
  reaches,
  recipeOf,
  resultHtml,
  resultJson,
  resultText,
  runRecipe,
  spreadOf,
} from '@tideline/trainer';

const RESULT: BacktestResult = {
  name: 'example',
  task: 'a task',
  data: {
    files: [],
    from: '2020-01-01',
    to: '2020-01-02',
    records: 4,
    series: 1,
    steps: 4,
    refused: { 'too short': 2 },
  },
  split: 'half and half',
  model: { cell: 'gru' },
  tables: [
    {
      title: 'test, part "B"',
      metrics: [
        { name: 'loss', better: 'lower', target: 2.5 },
        { name: 'coverage', better: 'neither', target: [0.78, 0.82] },
      ],
      seeds: [
        { seed: 1, figures: { loss: 1, coverage: 0.9 } },
        { seed: 2, figures: { loss: 3, coverage: 0.8 } },
      ],
      baselines: [{ name: 'last value', figures: { loss: 4 } }],
      published: [{ name: 'theirs', figures: { loss: 2 }, source: 'a paper' }],
    },
  ],
  tracks: [
    {
      ...{ series: 'A', horizon: '1 step', timeMs: [0, 86_400_000], truth: [1, Number.NaN], forecast: [1.5, 2] },
      interval: { low: [0, 1], high: [2, 3], stated: 0.8 },
    },
  ],
  notes: [],
};

test('mean and deviation run over the seeds, and a target is judged by the mean', () => {
  const [table] = RESULT.tables;
  const loss = spreadOf(table, 'loss');
  assert.deepEqual(loss, { mean: 2, deviation: Math.SQRT2, seeds: 2 });
  assert.equal(reaches(table.metrics[0], loss), true);
  assert.equal(reaches({ name: 'loss', better: 'higher', target: 2.5 }, loss), false);
  assert.equal(reaches(table.metrics[1], spreadOf(table, 'coverage')), false);
  assert.equal(reaches({ name: 'loss', better: 'lower' }, loss), null);
});

test('the table shows each seed, mean, deviation, baselines, published results and what is reached', () => {
  const text = resultText(RESULT);
  assert.match(text, /seed 2 +3\.000 +0\.8000/);
  assert.match(text, /ours, mean of 2 +2\.000 +0\.8500/);
  assert.match(text, /ours, deviation +1\.414/);
  assert.match(text, /baseline: last value +4\.000 +-/);
  assert.match(text, /published: theirs +2\.000/);
  assert.match(text, /target +at most 2\.5 +0\.78 to 0\.82/);
  assert.match(text, /reached +missed/);
  assert.match(text, /left out 2: too short/);
});

test('JSON and CSV have every figure and forecast', async () => {
  const json = JSON.parse(JSON.stringify(resultJson(RESULT))) as { tables: { ours: { loss: object } }[] };
  assert.deepEqual(json.tables[0].ours.loss, { mean: 2, deviation: Math.SQRT2, seeds: 2, reached: true });
  assert.equal(
    String(await tableBytes(figuresTable(RESULT), 'csv')).split('\n')[1],
    '"test, part ""B""",ours,1,loss,1',
  );
  assert.equal(
    await tableBytes(forecastsTable(RESULT), 'csv'),
    'series,horizon,time,forecast,low,high,truth\n' +
      'A,1 step,1970-01-01T00:00:00.000Z,1.5,0,2,1\nA,1 step,1970-01-02T00:00:00.000Z,2,1,3,\n',
  );
});

test('the report is one file with tables, plots and the card, whatever the texts hold', () => {
  const html = resultHtml({ ...RESULT, task: 'a < b & "c" <script>' });
  assert.doesNotMatch(html, /<script|src=|href=|url\(|https?:/);
  assert.match(html, /a &lt; b &amp; &quot;c&quot; &lt;script&gt;/);
  assert.match(html, /<td class="missed">missed<\/td>/);
  assert.match(html, /<td>seed 2<\/td><td>3\.000<\/td>/);
  assert.match(html, /aria-label="Forecasts and truth of A, 1 step ahead"/);
  // What is not known leaves a hole, no broken path.
  assert.doesNotMatch(html, /NaN/);
});

test('coverage over time counts truths inside, and is not known where there are none', () => {
  const interval = { low: [0, 0, 0, 0], high: [1, 1, 1, 1], stated: 0.8 };
  const track = { ...RESULT.tracks[0], truth: [0.5, 2, Number.NaN, Number.NaN], interval };
  assert.deepEqual(coverageByBlock(track, 2), [0.5, Number.NaN]);
  assert.deepEqual(coverageByBlock(track, 9).length, 4);
});

test('a recipe whose data is not there names every missing file and the cure', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-recipes-'));
  try {
    for (const recipe of RECIPES) {
      const run = runRecipe(recipe, { dataFolder: folder, seeds: [1], progress: () => undefined });
      await assert.rejects(run, (error: Error) => {
        for (const file of recipe.files) assert(error.message.includes(join(folder, recipe.folder, file)));
        return /Set TIDELINE_DATA to the folder that holds/.test(error.message);
      });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  assert.throws(() => recipeOf('none'), /There is no recipe 'none': use one of [\w-]+/);
});
