import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readRecordFile } from '@tideline/adapters';
import { SeededRandom } from '@tideline/nn';
import { tideline } from '../../e2e/command.ts';
import { ROOT } from '../../e2e/services.ts';

const folder = await mkdtemp(join(tmpdir(), 'tideline-backtest-'));
after(() => rm(folder, { recursive: true }));

const STREAM = `
name: closes
key: id
time: { field: date, unit: iso }
fields: { close: { above: 0 } }
features:
  - { op: log_return, of: close, name: ret, scale: 100 }
output: { kind: quantiles, of: close, horizons: [1] }
warm_up: 2`;

/** Columns of somebody else's file: one series, no column for its id. */
function closes(): string {
  const random = new SeededRandom(3, 0);
  let price = 100;
  const lines = Array.from({ length: 200 }, (_, day) => {
    price *= 1 + 0.02 * (random.next() - 0.5);
    return `${new Date(Date.parse('2020-01-01') + day * 86_400_000).toISOString().slice(0, 10)},${price}`;
  });
  return `Day,Last\n${lines.join('\n')}\n`;
}

test('a file of any columns is backtested, its report written, and the model that was saved serves the stream', async () => {
  const stream = join(folder, 'closes.yaml');
  const file = join(folder, 'closes.csv');
  await writeFile(stream, STREAM);
  await writeFile(file, closes());
  const out = join(folder, 'report');
  const models = join(folder, 'models');
  const input = ['--map', 'date=Day', 'close=Last', '--series', 'ABC'];
  const run = [
    'backtest',
    '--stream',
    stream,
    '--data',
    file,
    ...input,
    '--seeds',
    '2',
    '--epochs',
    '2',
    '--hidden',
    '4',
  ];
  const done = await tideline([...run, '--out', out, '--save', models, '--json']);
  assert.equal(done.code, 0, done.stderr);
  const result = JSON.parse(done.stdout) as {
    data: { steps: number };
    tables: { ours: { pinball: { seeds: number } } }[];
  };
  assert.deepEqual([result.data.steps, result.tables[0].ours.pinball.seeds], [200, 2]);
  assert.deepEqual((await readdir(out)).sort(), ['figures.csv', 'forecasts.csv', 'index.html', 'result.json']);
  assert.match(await readFile(join(out, 'forecasts.csv'), 'utf8'), /^series,horizon,.*\nABC,1 step,2020-06-19T/);
  const card = JSON.parse(await readFile(join(models, 'closes', 'card.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual([card.name, card.recipe, card.seed], ['closes', 'closes', 1]);

  const again = await tideline([...run.slice(0, -6), '--model', join(models, 'closes')]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /The model may have learnt from these records/);

  // By the file's ending the forecasts alone, by --format all tables: the same rows, in types.
  const scored = [...run.slice(0, -6), '--model', join(models, 'closes')];
  const parquet = join(out, 'all', 'forecasts.parquet');
  assert.equal((await tideline([...scored, '--out', parquet])).code, 0);
  const typed = join(folder, 'typed');
  assert.equal((await tideline([...scored, '--out', typed, '--format', 'json'])).code, 0);
  assert.deepEqual((await readdir(typed)).sort(), ['figures.json', 'forecasts.json', 'index.html', 'result.json']);
  const rows: unknown[] = [];
  const fields = { path: parquet, topic: 't', keyField: 'series', map: {} };
  for await (const { value } of readRecordFile(fields)) rows.push(JSON.parse(value));
  assert.deepEqual(rows, JSON.parse(await readFile(join(typed, 'forecasts.json'), 'utf8')));
  const refused = await tideline([...scored, '--out', typed, '--format', 'xlsx']);
  assert.match(refused.stderr, /Allowed choices are csv, parquet, json, jsonl/);

  const serve = [
    'demo',
    '--once',
    '--summary',
    'json',
    '--file',
    file,
    ...input,
    '--streams',
    stream,
    '--models',
    models,
  ];
  const served = await tideline([...serve, '--state', join(folder, 'state')]);
  assert.equal(served.code, 0, served.stderr);
  assert.equal((JSON.parse(served.stdout) as { forecasts: number }).forecasts, 198);
});

test('a backtest that a signal stops says so in its exit code', { timeout: 60_000 }, async (t) => {
  const stream = join(folder, 'long.yaml');
  const file = join(folder, 'long.csv');
  await writeFile(stream, STREAM);
  await writeFile(file, closes());
  const run = ['backtest', '--stream', stream, '--data', file, '--map', 'date=Day', 'close=Last', '--series', 'ABC'];
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'tideline.js'), ...run, '--seeds', '1000', '--hidden', '4']);
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  // Told after the first seed: there are hundreds to come.
  await once(child.stderr, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [75, null]);
});

test('without a recipe or a stream the recipes are listed, and what is missing is named with its cure', async () => {
  const list = await tideline(['backtest']);
  assert.match(list.stdout, /^Recipes of --recipe:\n(.*\n)*? +spy-volatility +\S/);
  const missing = await tideline(['backtest', '--recipe', 'spy-volatility'], { env: { TIDELINE_DATA: folder } });
  assert.equal(missing.code, 78);
  assert.ok(missing.stderr.includes(join(folder, 'ticks-highfrequency', 'spy_realized.csv')));
  const both = await tideline(['backtest', '--recipe', 'spy-volatility', '--stream', 'x.yaml']);
  assert.match(both.stderr, /name --recipe or --stream, not both/);
});
