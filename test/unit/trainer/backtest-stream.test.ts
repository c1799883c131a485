import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, initWeights, SeededRandom } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { type Declaration, readDeclaration, type SourceRecord } from '@tideline/streams';
import { type BacktestStreamOptions, backtestStream, type ResultTable } from '@tideline/trainer';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2020-01-01');

function declarationOf(more = ''): Declaration {
  return readDeclaration(
    'test',
    `
name: levels
key: id
time: ts
fields: {x: {above: 0}}
features:
  - {op: log, of: x}
  - {op: change, of: log_x}
output: {kind: quantiles, of: x, levels: [0.1, 0.5, 0.9], horizons: [1, 2]}
warm_up: 3
${more}`,
  );
}

/** One series a key: log x goes back to 0 by half a step, with normal noise: what comes next can be known in part. */
function records(keys: readonly string[], rows: number, deviation = 0.7): SourceRecord[] {
  const random = new SeededRandom(21, 0);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const level = new Map(keys.map((key) => [key, 0]));
  return Array.from({ length: rows }, (_, row) =>
    keys.map((key): SourceRecord => {
      level.set(key, 0.5 * (level.get(key) ?? 0) + deviation * normal());
      const ts = START_MS + row * DAY_MS;
      const value = JSON.stringify({ id: key, ts, x: Math.exp(level.get(key) ?? 0) });
      return { topic: 'levels', key, value, timestampMs: ts };
    }),
  ).flat();
}

function optionsOf(more: Partial<BacktestStreamOptions>): BacktestStreamOptions {
  return {
    ...{ declaration: declarationOf(), records: records(['a', 'b'], 400), files: [], model: null },
    network: { cell: 'gru', hiddenSize: 4, layers: 1 },
    ...{ epochs: 12, patience: 12, learningRate: 2e-2, seeds: [1, 2], folds: 2, season: null },
    ...{ progress: () => undefined, ...more },
  };
}

function figure({ baselines }: ResultTable, name: string, metric: string): number {
  return baselines.find((one) => one.name === name)?.figures[metric] ?? Number.NaN;
}

test('folds are trained on their past only and beat the last value where the next one can be known', async () => {
  const result = await backtestStream(optionsOf({}));
  assert.deepEqual(
    result.tables.map(({ title, seeds }) => [title, seeds.length]),
    [
      ['1 step ahead', 2],
      ['1 step ahead, series a', 2],
      ['1 step ahead, series b', 2],
      ['2 steps ahead', 2],
      ['2 steps ahead, series a', 2],
      ['2 steps ahead, series b', 2],
    ],
  );
  const [table, ofA, ofB] = result.tables;
  const together = (ofA.seeds[0].figures.pinball + ofB.seeds[0].figures.pinball) / 2;
  assert(Math.abs(table.seeds[0].figures.pinball - together) < 1e-12);
  for (const { figures } of table.seeds) {
    assert(figures.pinball < 0.92 * figure(table, 'last value', 'pinball'));
    assert(figures.MCC > 0.2);
    assert(figures['coverage 80 %'] > 70 && figures['coverage 80 %'] < 90);
  }
  // What the process is, a regression on its level finds best; a mean over the past knows little of it.
  assert(figure(table, 'HAR(1, 5, 22)', 'pinball') < figure(table, 'EWMA', 'pinball'));
  assert(figure(table, 'EWMA', 'pinball') < figure(table, 'last value', 'pinball'));
  assert(Number.isNaN(figure(table, 'seasonal naive', 'pinball')));
  assert.match(result.split, /^walk-forward, 2 folds, by time over all series: training before 2020-0\d-\d\d, /);
  assert.equal(result.tracks.length, 4);
  const [track] = result.tracks;
  assert.equal(track.timeMs.length, track.truth.length);
  // Two folds of 15 % of 400 days, but for the last day, whose next one nobody knows.
  assert.equal(track.timeMs.length, 119);
});

test('a series that begins with the test is scored, too, and costs the others no figure', async () => {
  const late = records(['late'], 60).map((record): SourceRecord => {
    const { ts, ...rest } = JSON.parse(record.value) as { ts: number };
    const timestampMs = ts + 395 * DAY_MS;
    return { ...record, timestampMs, value: JSON.stringify({ ...rest, ts: timestampMs }) };
  });
  const given = [...records(['a'], 400), ...late].sort((a, b) => a.timestampMs - b.timestampMs);
  const { tables } = await backtestStream(optionsOf({ records: given, folds: 1, epochs: 2, seeds: [1] }));
  const [all, ofA, ofLate] = tables;
  assert.equal(ofLate.title, '1 step ahead, series late');
  assert(ofLate.seeds[0].figures.pinball > 0);
  assert.equal(ofLate.seeds[0].figures.MASE, undefined);
  assert.equal(all.seeds[0].figures.MASE, ofA.seeds[0].figures.MASE);
});

test('a seasonal naive forecast knows a season, and a season alone', async () => {
  const season = [1, 1.5, 2, 1.2];
  const random = new SeededRandom(4, 0);
  const rows = Array.from({ length: 200 }, (_, row): SourceRecord => {
    const ts = START_MS + row * DAY_MS;
    const value = JSON.stringify({ id: 'a', ts, x: season[row % 4] * (1 + 0.001 * random.next()) });
    return { topic: 'levels', key: 'a', value, timestampMs: ts };
  });
  const { tables } = await backtestStream(optionsOf({ records: rows, season: 4, folds: 1, epochs: 1, seeds: [1] }));
  for (const table of tables) {
    assert(figure(table, 'seasonal naive', 'MASE') < 0.01);
    assert(figure(table, 'last value', 'MASE') > 0.9);
    assert.equal(figure(table, 'seasonal naive', 'MCC'), 1);
  }
});

test('past forecasts of a given model do not change by a bit where the future is shuffled', async () => {
  const declaration = declarationOf();
  const random = new SeededRandom(2, 0);
  const spec = { name: 'levels', cell: 'lstm', inputSize: 2, hiddenSize: 3, layers: 1, outputSize: 6 } as const;
  const model = createModel(
    spec,
    initWeights(spec, () => random.next()),
  );
  const all = records(['a'], 300);
  const cut = 280;
  const future = all.slice(cut);
  const shuffled = random.shuffled(future).map(({ value }, i): SourceRecord => {
    const { ts } = JSON.parse(future[i].value) as { ts: number };
    return { ...future[i], value: JSON.stringify({ ...(JSON.parse(value) as object), ts }) };
  });
  const run = async (given: readonly SourceRecord[]) =>
    (await backtestStream(optionsOf({ declaration, model, records: given, folds: 1 }))).tracks[0];
  const truth = await run(all);
  const other = await run([...all.slice(0, cut), ...shuffled]);
  const first = 255;
  assert.deepEqual(Array.from(other.forecast).slice(0, cut - first), Array.from(truth.forecast).slice(0, cut - first));
  assert.notDeepEqual([...Array.from(other.forecast)], Array.from(truth.forecast));
});

test('bad input is counted and told: splits, repeated bars, prices of 0, series with too little history', async () => {
  const declaration = declarationOf('repeated: time\nlate: dead-letter');
  const good = records(['a'], 200, 0.05);
  const split = good.map((record, row): SourceRecord => {
    const { x, ...rest } = JSON.parse(record.value) as { x: number };
    return { ...record, value: JSON.stringify({ ...rest, x: row < 100 ? 10 * x : x }) };
  });
  const zero = { ...good[50], value: JSON.stringify({ id: 'a', ts: START_MS, x: 0 }) };
  const young = records(['young'], 10);
  const given = [...split.slice(0, 120), split[119], zero, ...split.slice(120), ...young];
  const result = await backtestStream(optionsOf({ declaration, records: given, folds: 1, epochs: 1, seeds: [1] }));
  const { refused, series, steps } = result.data;
  assert.deepEqual([series, steps], [1, 200]);
  assert.equal(refused["records refused: 'x' is 0, must be a finite number above 0."], 1);
  assert.equal(refused['records late or repeated'], 1);
  assert.equal(refused['series with less than 25 steps: no forecast is scored'], 1);
  assert.match(result.notes.join(' '), /WARNING: 1 log returns of 'x' are beyond 0.4: splits/);
});

test('a stream of raw outputs and a history that is too short are refused with the cure', async () => {
  const raw = readDeclaration(
    'test',
    'name: r\nkey: id\ntime: ts\nfields: {x: {}}\nfeatures: [{op: field, of: x}]\noutput: {kind: raw, fields: [y]}',
  );
  const refusals: [Partial<BacktestStreamOptions>, RegExp][] = [
    [{ declaration: raw }, /raw: what it should have been is not said.*run a recipe/],
    [{ records: records(['a'], 9) }, /No series of stream 'levels' has the 25 steps/],
    [{ records: records(['a'], 25), folds: 90 }, /too few moments for 90 folds/],
  ];
  for (const [more, message] of refusals)
    await assert.rejects(
      backtestStream(optionsOf(more)),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
});
