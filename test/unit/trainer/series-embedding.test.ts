/** Streams that declare an embedding of their series: what is particular about each is learnt, and a series that was never seen works at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, embeddingOf, initWeights, type Model, SeededRandom } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import {
  createDeclaredStream,
  type Declaration,
  declarationDigest,
  keyBucket,
  readDeclaration,
  type SourceRecord,
} from '@tideline/streams';
import {
  type BacktestStreamOptions,
  backtestStream,
  evaluate,
  pipelinePass,
  readRows,
  trainDeclared,
} from '@tideline/trainer';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2020-01-01');
const EMBEDDING = { size: 3, buckets: 1_024 };
const PLAIN = `
name: drifts
key: id
time: ts
fields: {x: {above: 0}}
features:
  - {op: log_return, of: x, scale: 10}
output: {kind: quantiles, of: x, levels: [0.1, 0.5, 0.9], horizons: [1]}
warm_up: 3
`;
const declared: Declaration = readDeclaration('drifts', `${PLAIN}embedding: {size: 3, buckets: 1024}`);
const plain: Declaration = readDeclaration('plain', PLAIN);

/** Series that drift by their own amount every day, with noise that hides it from one day's return. */
function records(drifts: Readonly<Record<string, number>>, rows = 300): SourceRecord[] {
  const random = new SeededRandom(17, 0);
  const level = new Map(Object.keys(drifts).map((key) => [key, 0]));
  return Array.from({ length: rows }, (_, row) =>
    Object.entries(drifts).map(([key, drift]): SourceRecord => {
      level.set(key, (level.get(key) ?? 0) + drift + 0.3 * (random.next() - 0.5));
      const ts = START_MS + row * DAY_MS;
      const value = JSON.stringify({ id: key, ts, x: Math.exp(level.get(key) ?? 0) });
      return { topic: 'drifts', key, value, timestampMs: ts };
    }),
  ).flat();
}

const DRIFTS = { a: 0.06, b: -0.06, c: 0.03, d: -0.03 };

function optionsOf(declaration: Declaration): BacktestStreamOptions {
  return {
    ...{ declaration, records: records(DRIFTS), files: [], model: null, folds: 1, season: null },
    network: { cell: 'gru', hiddenSize: 6, layers: 1 },
    ...{ epochs: 30, patience: 30, learningRate: 2e-2, seeds: [1], progress: () => undefined },
  };
}

function modelOf(seed: number): Model {
  const random = new SeededRandom(seed, 0);
  const stream = createDeclaredStream(declared, { modelName: 'm' });
  const { inputSize, outputSize } = stream;
  const spec = {
    name: 'm',
    cell: 'gru',
    hiddenSize: 4,
    layers: 1,
    inputSize,
    outputSize,
    embedding: EMBEDDING,
  } as const;
  return createModel(
    spec,
    initWeights(spec, () => random.next()),
  );
}

test("a row's last inputs are what the model learnt of its series, and 0 without a model", () => {
  const model = modelOf(1);
  const [bare, served] = [{}, { model }].map((options) =>
    readRows(createDeclaredStream(declared, { modelName: 'm', ...options }), records(DRIFTS, 5)),
  );
  const vectors = served.series.map(({ key, inputs }, s) => {
    const expected = new Float32Array(3);
    embeddingOf(model)?.gather([keyBucket(key, EMBEDDING)], expected, 0);
    for (let row = 0; row < 5; row += 1) {
      assert.equal(inputs[row * 4], bare.series[s].inputs[row * 4]);
      assert.deepEqual(inputs.subarray(row * 4 + 1, row * 4 + 4), expected);
      assert.deepEqual([...bare.series[s].inputs.subarray(row * 4 + 1, row * 4 + 4)], [0, 0, 0]);
    }
    return expected.join();
  });
  assert.equal(new Set(vectors).size, 4, 'each series has its own');
});

test('with an embedding the network learns what is particular about a series, by what the pipeline emits', async () => {
  const [without] = (await backtestStream(optionsOf(plain))).tables;
  const result = await backtestStream(optionsOf(declared));
  const [table] = result.tables;
  // The days tell slowly of a drift that is less than their noise; who it is tells at once.
  assert(table.seeds[0].figures.pinball < 0.96 * without.seeds[0].figures.pinball, `${table.seeds[0].figures.pinball}`);
  assert(table.seeds[0].figures.MCC > without.seeds[0].figures.MCC);

  // The table is 0 but for the four rows of series that were learnt from.
  const { embedding = new Float32Array(0) } = result.trained?.model.weights ?? {};
  const rows = Array.from({ length: 1_024 }, (_, row) => embedding.subarray(row * 3, row * 3 + 3));
  const learnt = rows.flatMap((values, row) => (values.some((value) => value !== 0) ? [row] : []));
  const buckets = Object.keys(DRIFTS).map((key) => keyBucket(key, EMBEDDING));
  assert.deepEqual(
    learnt,
    buckets.sort((a, b) => a - b),
  );

  // A series that nobody knew is forecast from its first row on, as one without particulars.
  const model = result.trained?.model;
  assert(model);
  const stream = createDeclaredStream(declared, { modelName: 'm', model });
  const pass = await pipelinePass({ stream, model, records: records({ unseen: 0 }, 20), keepLines: true });
  assert.equal(pass.lines.filter((line) => line.startsWith('forecast,')).length, 20 - 3);
  assert.deepEqual(pass.quarantined, {});
  assert.deepEqual([...pass.series[0].outputs].filter(Number.isNaN), []);
});

test('what training scores is what the pipeline says: the same inputs, table and all', async () => {
  const given = records(DRIFTS, 200);
  const { model } = await trainDeclared({
    ...{ declaration: declared, records: given, source: {}, network: { cell: 'lstm', hiddenSize: 4, layers: 1 } },
    ...{ seed: 1, epochs: 3, patience: 3, learningRate: 1e-2, onEpoch: () => undefined },
  });
  assert.deepEqual(model.spec.embedding, { buckets: 1_024, size: 3 });
  const stream = createDeclaredStream(declared, { modelName: 'm', model });
  const pass = await pipelinePass({ stream, model, records: given });
  const read = readRows(stream, given).series;
  for (const { key, outputs, rows } of pass.series) {
    const { inputs = new Float32Array(0) } = read.find((one) => one.key === key) ?? {};
    const expected = evaluate(model, inputs, 200);
    assert.equal(rows, 200);
    outputs.forEach((value, i) => {
      assert(Math.abs(value - expected[i]) < 1e-5, `${key}, output ${i}: ${value}, not ${expected[i]}`);
    });
  }
  assert.notDeepEqual(pass.series[0].outputs, pass.series[1].outputs);
});

test('a model of another table is refused, and streams without one keep the digest that their models have', () => {
  const model = modelOf(1);
  const other = readDeclaration('other', `${PLAIN}embedding: {size: 3}`);
  const refused = (declaration: Declaration, message: RegExp): void =>
    assert.throws(
      () => createDeclaredStream(declaration, { modelName: 'm', model }),
      (error: Error) => error instanceof ConfigError && message.test(error.message),
    );
  refused(other, /declares an embedding of 8192 x 3, model 'm' has an embedding of 1024 x 3: train a model/);
  refused(plain, /declares no embedding, model 'm' has an embedding of 1024 x 3/);
  assert.notEqual(declarationDigest(other), declarationDigest(declared));
  assert.notEqual(declarationDigest(plain), declarationDigest(declared));
  assert.throws(() => readDeclaration('x', `${PLAIN}embedding: {size: 0, rows: 3}`), /embedding/);
});
