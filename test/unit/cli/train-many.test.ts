/** `tideline train` over seeds, over folds, and with its options in a file. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadModel, SeededRandom } from '@tideline/nn';
import { meanDeviation, spreadOfFigures } from '@tideline/trainer';
import { tideline } from '../../e2e/command.ts';

const folder = await mkdtemp(join(tmpdir(), 'tideline-train-many-'));
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
const stream = join(folder, 'closes.yaml');
const data = join(folder, 'closes.csv');
await writeFile(stream, STREAM);
await writeFile(data, closes());

function closes(): string {
  const random = new SeededRandom(5, 0);
  let price = 100;
  const lines = Array.from({ length: 260 }, (_, day) => {
    price *= 1 + 0.02 * (random.next() - 0.5);
    return `${new Date(Date.parse('2021-01-01') + day * 86_400_000).toISOString().slice(0, 10)},A,${price}`;
  });
  return `date,id,last\n${lines.join('\n')}\n`;
}

const SMALL = ['--map', 'close=last', '--epochs', '3', '--hidden', '3', '--json'];

interface Printed {
  readonly digest: string;
  readonly overSeeds?: { readonly seeds: number[]; readonly test: Record<string, { mean: number; deviation: number }> };
  readonly test: Record<string, Record<string, number>>;
  readonly folder: string;
}

async function train(...args: readonly string[]): Promise<Printed & { readonly stderr: string }> {
  const done = await tideline(['train', ...args]);
  assert.equal(done.code, 0, done.stderr);
  return { ...(JSON.parse(done.stdout) as Printed), stderr: done.stderr };
}

test('over several seeds the first is kept, and the card has the mean and the deviation of every test figure', async () => {
  const run = [stream, '--data', data, ...SMALL];
  const [one, two, both] = [
    await train(...run, '--out', join(folder, 'one')),
    await train(...run, '--seed', '2', '--out', join(folder, 'two')),
    await train(...run, '--seeds', '2', '--out', join(folder, 'both')),
  ];
  assert.equal(both.digest, one.digest);
  assert.notEqual(two.digest, one.digest);
  assert.deepEqual(both.overSeeds?.seeds, [1, 2]);
  const [[name, figures]] = Object.entries(one.test);
  const expected = meanDeviation([figures.pinball, two.test[name].pinball]);
  assert(expected.deviation > 0);
  assert.deepEqual(both.overSeeds?.test[`${name} pinball`], expected);
  assert.match(both.stderr, /^seed 2: epoch 1\/3 loss/m);
  const { card } = await loadModel(join(both.folder, 'model.tdl'));
  assert.deepEqual(card.overSeeds, both.overSeeds);
});

test('over folds every one is trained on its past, and the card has range, checksum, figures of all seeds and epochs', async () => {
  const out = join(folder, 'folds');
  const printed = await train(stream, '--data', data, ...SMALL, '--folds', '2', '--seeds', '2', '--out', out);
  const labels = printed.stderr.match(/^seed \d, fold \d of 2(?=: epoch 1\/)/gm);
  assert.deepEqual(labels, [
    'seed 1, fold 1 of 2',
    'seed 1, fold 2 of 2',
    'seed 2, fold 1 of 2',
    'seed 2, fold 2 of 2',
  ]);
  const { model, card } = await loadModel(join(out, 'closes', 'model.tdl'));
  assert.equal(model.digest, printed.digest);
  const { from, to, files } = card.data as { from: string; to: string; files: { sha256: string }[] };
  assert.deepEqual([from, to], ['2021-01-01', '2021-09-17']);
  assert.match(files[0].sha256, /^[0-9a-f]{64}$/);
  assert.match(String(card.split), /^walk-forward, 2 folds, by time over all series: training before 2021/);
  const [table] = card.test as { seeds: object[]; ours: { pinball: { mean: number; seeds: number } } }[];
  assert.deepEqual([table.seeds.length, table.ours.pinball.seeds], [2, 2]);
  assert.equal((card.epochs as object[]).length, 3);

  // The same comparison, and the same model, as the backtest's.
  const saved = join(folder, 'saved');
  const run = [
    'backtest',
    '--stream',
    stream,
    '--data',
    data,
    ...SMALL,
    '--folds',
    '2',
    '--seeds',
    '2',
    '--save',
    saved,
  ];
  const tested = await tideline(run);
  assert.equal(tested.code, 0, tested.stderr);
  assert.equal((await loadModel(join(saved, 'closes', 'model.tdl'))).model.digest, printed.digest);
});

test('options stand in a file as well, the command line goes before it, and every wrong one is named', async () => {
  const config = join(folder, 'train.yaml');
  const settings = { stream, data: [data], map: { close: 'last' }, epochs: 9, hidden: 3, seed: 2, json: true };
  await writeFile(config, JSON.stringify({ ...settings, 'learning-rate': 0.003, out: join(folder, 'by-file') }));
  const byFile = await train('--config', config, '--epochs', '3');
  const byLine = await train(stream, '--data', data, ...SMALL, '--seed', '2', '--out', join(folder, 'by-line'));
  assert.equal(byFile.digest, byLine.digest);
  assert.match(await readFile(join(folder, 'by-file', 'closes', 'card.json'), 'utf8'), /"seed": 2/);

  const bad = { epoch: 3, hidden: 0, cell: 'tcn', seeds: [1, 2], resume: 'yes', data: [] };
  await writeFile(config, JSON.stringify(bad));
  const { code, stderr } = await tideline(['train', '--config', config]);
  assert.equal(code, 78, stderr);
  for (const message of [
    /'epoch' is no option of 'train': use one of stream, data, map/,
    /'hidden' is 0: must be a whole number, 1 or more/,
    /'cell' is \\?"tcn\\?": Allowed choices are lstm, gru, rnn/,
    /'seeds' is \[1,2\]: must be one value, no list/,
    /'resume' is \\?"yes\\?": must be true or false/,
    /'data' is \[\]: must not be empty/,
  ])
    assert.match(stderr, message);
  await writeFile(config, 'a: [');
  assert.match((await tideline(['train', '--config', config])).stderr, /is no YAML/);
  assert.match((await tideline(['train', '--config', `${config}.none`])).stderr, /cannot be read \(ENOENT\)/);
});

test('what cannot be repeated is refused with the cure', async () => {
  const refused = async (args: readonly string[], message: RegExp): Promise<void> => {
    const { code, stderr } = await tideline(['train', ...args, '--out', folder]);
    assert.equal(code, 78, stderr);
    assert.match(stderr, message);
  };
  await refused(
    ['ticks', '--folds', '2'],
    /--folds is for streams that a file declares .*; 'ticks' has a split of its own/,
  );
  await refused(['ticks', '--data', data], /declare a stream in a file/);
  await refused([stream, '--folds', '2'], /name the records to learn from, --data/);
  const checkpoint = ['--checkpoint', join(folder, 'x.ckpt')];
  await refused([stream, '--data', data, '--seeds', '2', ...checkpoint], /A checkpoint is of one training/);
});

test('spreads are of every number that all results have', () => {
  const spread = spreadOfFigures([
    { a: { b: 1, only: 3 }, text: 'x' },
    { a: { b: 3, bad: Number.NaN }, text: 'y' },
  ]);
  assert.deepEqual(spread, { 'a b': { mean: 2, deviation: Math.SQRT2 } });
  assert.deepEqual(meanDeviation([7]), { mean: 7, deviation: Number.NaN });
});
