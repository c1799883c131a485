import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, initWeights, type Model, SeededRandom } from '@tideline/nn';
import { createDeclaredStream, generatedTicks, readDeclaration, type SourceRecord } from '@tideline/streams';
import { evaluate, pipelinePass, readRows } from '@tideline/trainer';

const DECLARATION = readDeclaration(
  'test',
  `
name: trades
key: symbol
time: ts
fields: {price: {above: 0}, size: {at_least: 0}}
features:
  - {op: log_return, of: price, name: ret, input: false}
  - {op: volatility, of: ret, name: sigma, input: false}
  - {op: ratio, of: [ret, sigma], clip: 8}
  - {op: log1p, of: size, scale: 0.2}
  - {op: z_score, of: price, window: 7}
output: {kind: quantiles, of: price, unit: sigma, horizons: [1, 3]}
warm_up: 3
late: dead-letter`,
);
const STREAM = createDeclaredStream(DECLARATION, { modelName: 'trades' });

function randomModel(): Model {
  const random = new SeededRandom(7, 0);
  const spec = {
    ...({ name: 'trades', cell: 'gru', hiddenSize: 5, layers: 1 } as const),
    ...{ inputSize: STREAM.inputSize, outputSize: STREAM.outputSize },
  };
  return createModel(
    spec,
    initWeights(spec, () => random.next()),
  );
}

const RECORDS = [...generatedTicks({ seed: 3, symbols: 4, records: 600 })];

test('a pass through ingest and forecaster steps every series as training sees it', async () => {
  const model = randomModel();
  const pass = await pipelinePass({ stream: STREAM, model, records: RECORDS });
  const { series } = readRows(STREAM, RECORDS);
  assert.equal(pass.records, RECORDS.length);
  assert.deepEqual(pass.series.map(({ key }) => key).sort(), series.map(({ key }) => key).sort());
  for (const one of series) {
    const found = pass.series.find(({ key }) => key === one.key);
    assert(found);
    assert.deepEqual(found.timeMs, one.timeMs);
    assert.deepEqual(found.context, one.context);
    assert.deepEqual(
      [...found.record].map((at) => RECORDS[at]),
      [...one.records],
    );
    evaluate(model, one.inputs, one.rows).forEach((value, i) => {
      assert(Math.abs(value - found.outputs[i]) < 1e-5);
    });
  }
});

test('forecasts of the past stay the same to the bit where the future is another one', async () => {
  const model = randomModel();
  const cut = 400;
  const future = RECORDS.slice(cut);
  const random = new SeededRandom(11, 0);
  // The same times with prices of other rows: what is to come is another market.
  const shuffled = random.shuffled(future).map(({ value }, i): SourceRecord => {
    const { symbol, ts } = JSON.parse(future[i].value) as { symbol: string; ts: number };
    return { ...future[i], value: JSON.stringify({ ...(JSON.parse(value) as object), symbol, ts }) };
  });
  const options = { stream: STREAM, model, keepLines: true };
  const truth = await pipelinePass({ ...options, records: RECORDS });
  const other = await pipelinePass({ ...options, records: [...RECORDS.slice(0, cut), ...shuffled] });
  const past = (lines: readonly string[]): string[] =>
    lines.filter((line) => Number(/offset=(\d+)i/.exec(line)?.[1]) < cut).sort();
  assert(past(truth.lines).length > cut);
  assert.deepEqual(past(other.lines), past(truth.lines));
  assert.notDeepEqual([...other.lines].sort(), [...truth.lines].sort());
});

test('refused records are counted by their field with the reason of the first, and late ones are counted', async () => {
  const { symbol } = JSON.parse(RECORDS[5].value) as { symbol: string };
  const bad = (price: number): SourceRecord => ({
    ...RECORDS[5],
    value: JSON.stringify({ symbol, ts: 1, price, size: 1 }),
  });
  const records = [...RECORDS.slice(0, 50), bad(0), bad(-3), RECORDS[0], ...RECORDS.slice(50)];
  const pass = await pipelinePass({ stream: STREAM, model: randomModel(), records });
  const reasons = Object.entries(pass.refused);
  assert.equal(pass.untimely, 1);
  assert(reasons.some(([reason, count]) => count === 2 && reason.includes("'price' is 0")));
  assert.equal(
    pass.series.reduce((sum, { rows }) => sum + rows, 0),
    RECORDS.length,
  );
});
