/** Training on a declared stream: its rows are those of the pipeline, its loss is that of its levels, and its card tells what it learnt from. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadTopics } from '@tideline/forecaster';
import { createModel, createSimdEngine, initWeights, saveModel } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import {
  createDeclaredStream,
  generatedTicks,
  mulberry32,
  quantileLoss,
  readDeclaration,
  type SourceRecord,
} from '@tideline/streams';
import { readRows, trainDeclared } from '@tideline/trainer';
import { runRecords } from '../pipeline/order-run.ts';
import { rawRecord } from '../streams/declared-run.ts';

const TEXT = `
name: small
key: symbol
time: ts
fields: {price: {above: 0}, size: {at_least: 0}}
features:
  - {op: log_return, of: price, name: r, input: false}
  - {op: volatility, of: r, name: sigma, input: false}
  - {op: ratio, of: [r, sigma], clip: 8}
  - {op: log1p, of: size, scale: 0.2}
  - {op: time_gap, cap_ms: 10000, unit: s}
output: {kind: quantiles, of: price, unit: sigma, levels: [0.05, 0.25, 0.5, 0.75, 0.95], horizons: [1, 4]}`;
const DECLARATION = readDeclaration('small', TEXT);
const RECORDS = [...generatedTicks({ seed: 4, symbols: 3, records: 900 })];

function train(records: Iterable<SourceRecord>, declaration = DECLARATION) {
  return trainDeclared({
    ...{ declaration, records, seed: 2, epochs: 2, learningRate: 3e-3, patience: 2, onEpoch: () => undefined },
    source: { kind: 'generated' },
    network: { cell: 'gru', hiddenSize: 4, layers: 1 },
  });
}

test('the rows that are learnt from are those that the pipeline steps, late and repeated records as the policy says', async () => {
  const random = mulberry32(6);
  const records = RECORDS.map((record, i) => {
    const value = JSON.parse(record.value) as { ts: number; price: number };
    if (random() < 0.1) value.ts -= 2_000;
    if (i % 90 === 7) value.price = 0;
    return { ...record, value: JSON.stringify(value) };
  });
  for (const late of ['apply', 'drop'] as const) {
    const stream = createDeclaredStream(DECLARATION, { modelName: 'm', late });
    const spec = { name: 'm', cell: 'rnn', inputSize: 3, hiddenSize: 2, layers: 1, outputSize: 10 } as const;
    const model = createModel(spec, initWeights(spec, mulberry32(1)));
    const { lines, letters } = await runRecords(
      records.map(({ value }, offset) => rawRecord(value, offset)),
      {
        stream,
        newEngine: () => createSimdEngine(model, { slotsMax: 9 }),
        draw: (n) => Math.floor(random() * n),
        writesACrash: 0,
      },
    );
    const offsets = lines
      .filter((line) => line.includes('horizon=1'))
      .map((line) => Number(/offset=(\d+)i/.exec(line)?.[1]));
    const { series, refused, untimely } = readRows(stream, records);
    const rows = series.flatMap((one) =>
      one.records.map((record) => records.indexOf(record as (typeof records)[number])),
    );
    assert.deepEqual(
      rows.sort((a, b) => a - b),
      offsets.sort((a, b) => a - b),
    );
    assert.deepEqual(
      [...refused],
      [['price', { count: letters.length, reason: "'price' is 0, must be a finite number above 0." }]],
    );
    assert(letters.length === 10 && untimely > 20, `${letters.length} refused, ${untimely} late`);
  }
});

test('the gradient of the loss of five levels is that of finite differences', () => {
  const random = mulberry32(9);
  const levels = [0.05, 0.25, 0.5, 0.75, 0.95];
  const outputs = Array.from({ length: 10 }, () => 2 * random() - 1);
  const targets = [0.3, -1.7];
  const gradient = new Float64Array(10);
  quantileLoss(outputs, targets, levels, gradient);
  outputs.forEach((value, i) => {
    const at = (x: number): number => quantileLoss(outputs.with(i, x), targets, levels, new Float64Array(10));
    const slope = (at(value + 1e-6) - at(value - 1e-6)) / 2e-6;
    assert(Math.abs(slope - gradient[i]) < 1e-6, `output ${i}: ${gradient[i]}, ${slope}`);
  });
});

test('a declared stream is trained, its card says on what, and another declaration refuses its model', async () => {
  const [one, again] = [await train(RECORDS), await train(RECORDS)];
  assert.equal(one.model.digest, again.model.digest);
  const test = one.card.test as Readonly<
    Record<string, { readonly pinball: number; readonly coverage90: number; readonly rows: number }>
  >;
  assert.deepEqual(Object.keys(test).slice(0, 2), ['all series, horizon 1', 'all series, horizon 4']);
  const score = test['all series, horizon 1'];
  assert(score.pinball > 0 && score.coverage90 > 0.3 && score.rows > 100, JSON.stringify(score));
  const folder = await mkdtemp(join(tmpdir(), 'tideline-declared-'));
  try {
    await saveModel(join(folder, 'small', 'model.tdl'), one.model, one.card);
    const load = async (text: string): Promise<void> => {
      const path = join(folder, 'small.yaml');
      await writeFile(path, text);
      const streams = [{ topic: 'small', stream: path }];
      const topics = await loadTopics({
        streams,
        modelsFolder: folder,
        engine: 'simd',
        slotsMax: 4,
        onEngine: () => undefined,
      });
      for (const { engine } of topics.values()) engine.dispose();
    };
    await load(`${TEXT}\npoint: {time: event}\nlate: drop`);
    await assert.rejects(load(TEXT.replace('scale: 0.2', 'scale: 0.3')), /trained for other bars, features or outputs/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what cannot be learnt from is told with its cure', async () => {
  await assert.rejects(
    train(RECORDS.slice(0, 30)),
    (error: unknown) =>
      error instanceof ConfigError && /has the 24 steps that it takes; the longest/.test(error.message),
  );
  const unreadable = RECORDS.map((record) => ({ ...record, value: record.value.replace('price', 'px') }));
  await assert.rejects(train(unreadable), /refused, such as: 'price' is undefined/);
  const raw = readDeclaration('raw', TEXT.replace(/output:.*/, 'output: {kind: raw, fields: [y]}'));
  await assert.rejects(train(RECORDS, raw), /what it should learn is not said/);
});
