/** The same code offline and online: one straight pass over a file and the real pipeline, in any batches and through crashes, give the same points. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, createSimdEngine, initWeights, type Model } from '@tideline/nn';
import { ChunkBuilder, type RawRecord, type Stream } from '@tideline/pipeline';
import { generatedTicks, mulberry32 } from '@tideline/streams';
import { runRecords, SHARD } from '../pipeline/order-run.ts';
import { rawRecord, streamOf } from './declared-run.ts';

const HEAD = 'name: exact\nkey: symbol\ntime: ts\nfields: {price: {above: 0}, size: {required: false, at_least: 0}}';
const FEATURES = `
features:
  - {op: log_return, of: price, name: r, scale: 1000, clip: 20}
  - {op: log_return, of: price, steps: 4, scale: 1000}
  - {op: sign_change, of: price}
  - {op: split_guard, of: price, jump: 0.4, name: guarded, input: false}
  - {op: log_return, of: guarded, name: g, input: false}
  - {op: volatility, of: g, name: sigma, input: false}
  - {op: time_gap, cap_ms: 10000, unit: s}
  - {op: calendar, cycle: day, part: sin}
  - {op: realised_variance, of: r, window: 5}
  - {op: ew_variance, of: r, weight: 0.1}
  - {op: mean, of: price, window: 7, name: m, input: false}
  - {op: relative, of: [price, m], scale: 100}
  - {op: z_score, of: size, window: 6}
  - {op: share, of: size, window: 9}
  - {op: ew_score, of: r, weight: 0.05}
  - {op: lag, of: r, steps: 2}
output: {kind: quantiles, of: guarded, last: price, unit: sigma, horizons: [1, 3], levels: [0.05, 0.5, 0.9]}
point: {with: [offset, m, size]}
warm_up: 3`;
const FOLLOWED = 'calibration: {rate: 0.1}, scores: {every: 5}, online: {}, also: [up, volatility]';
const IN_TIME = `horizons: [1, 4], per: s, pending: 3, ${FOLLOWED}`;
const STREAMS: Readonly<Record<string, string>> = {
  'records as steps': `${HEAD}${FEATURES}`,
  'bars of time': `${HEAD}\nbars: {kind: time, span_ms: 700, price: price, volume: size}${FEATURES}`,
  'bars of ticks': `${HEAD}\nbars: {kind: ticks, count: 5, price: price}${FEATURES}`,
  'forecasts followed, in steps': `${HEAD}${FEATURES.replace('levels:', `${FOLLOWED}, levels:`)}`,
  'forecasts followed, in time': `${HEAD}${FEATURES.replace('horizons: [1, 3]', `${IN_TIME}`)}`,
  'experts and ticks, in time': `${HEAD}${FEATURES.replace('horizons: [1, 3]', `${IN_TIME}, aggregation: {}, tick: auto`)}`,
  'bars of volume': `${HEAD}\nbars: {kind: volume, size: 400, price: price, volume: size}${FEATURES}`,
};

function modelFor(stream: Stream): Model {
  const { inputSize, outputSize } = stream;
  const spec = { name: 'exact', cell: 'lstm', inputSize, hiddenSize: 8, layers: 1, outputSize } as const;
  return createModel(spec, initWeights(spec, mulberry32(3)));
}

/** Ticks of a few symbols; some out of order, some without a size, one split. */
function recordsOf(seed: number): RawRecord[] {
  const random = mulberry32(seed);
  return [...generatedTicks({ seed, symbols: 4, records: 400 })].map(({ value }, offset) => {
    const record = JSON.parse(value) as { ts: number; price: number; size?: number };
    if (random() < 0.05) record.ts -= Math.floor(3_000 * random());
    if (random() < 0.1) delete record.size;
    if (offset > 200) record.price /= 2;
    return rawRecord(record, offset);
  });
}

/** Every series by itself, from its first row to its last, in one run of the engine. */
function straightPass(stream: Stream, model: Model, records: readonly RawRecord[]): string[] {
  const builder = new ChunkBuilder(stream.schema, records.length);
  for (const record of records) stream.decode(record, builder);
  const chunk = builder.finish(records.length);
  const { inputSize, contextSize, outputSize } = stream;
  const lines: { readonly offset: number; readonly lines: string[] }[] = [];
  chunk.keys.forEach((_, key) => {
    const state = new Float64Array(stream.stateSize);
    const output = new Float64Array(stream.outputState?.size ?? 0);
    const inputs = new Float32Array(chunk.rows * inputSize);
    const context = new Float64Array(chunk.rows * contextSize);
    const steps: number[] = [];
    for (let row = 0; row < chunk.rows; row += 1) {
      if (chunk.keyOf[row] !== key) continue;
      const at = steps.length;
      const buffers = { state, stateAt: 0, inputs, inputAt: at * inputSize, context, contextAt: at * contextSize };
      if (stream.advance(chunk, row, buffers) === 'step') steps.push(row);
    }
    const outputs = new Float32Array(steps.length * outputSize);
    const engine = createSimdEngine(model, { slotsMax: 1 });
    engine.run({ slot: engine.allocate(), rows: Uint32Array.from(steps.keys()), inputs, outputs });
    engine.dispose();
    steps.forEach((row, i) => {
      const found: string[] = [];
      const own = { inputs, inputAt: i * inputSize, state: output, stateAt: 0 };
      const said = { outputs, outputAt: i * outputSize, context, contextAt: i * contextSize, ...own };
      stream.emit(SHARD, chunk, row, said, found);
      lines.push({ offset: row, lines: found });
    });
  });
  return lines.sort((a, b) => a.offset - b.offset).flatMap((row) => row.lines);
}

function online(
  stream: Stream,
  model: Model,
  records: readonly RawRecord[],
  seed: number,
): ReturnType<typeof runRecords> {
  const random = mulberry32(seed);
  return runRecords(records, {
    stream,
    newEngine: () => createSimdEngine(model, { slotsMax: 20 }),
    draw: (below) => Math.floor(random() * below),
    writesACrash: 12,
  });
}

for (const [what, text] of Object.entries(STREAMS))
  test(`${what}: the pipeline's points are those of one straight pass, to the bit, whatever the batches and the crashes`, async () => {
    const stream = streamOf(text);
    const model = modelFor(stream);
    const records = recordsOf(11);
    const expected = straightPass(stream, model, records);
    assert(
      expected.length > 40 && expected.some((line) => line.startsWith('alert,kind=jump')),
      `${expected.length} points`,
    );
    if (text.includes('scores:')) assert(expected.some((line) => line.startsWith('score,')));
    let crashes = 0;
    const states: string[] = [];
    for (const seed of [1, 2]) {
      const run = await online(stream, model, records, seed);
      assert.deepEqual([...new Set(run.lines)].sort(), [...new Set(expected)].sort());
      crashes += run.crashes;
      states.push(JSON.stringify([...run.states].sort()));
    }
    assert(crashes > 0, 'no crash was drawn');
    assert.equal(new Set(states).size, 1);
  });

for (const [what, text] of Object.entries(STREAMS))
  test(`${what}: another future changes no bit of what was said before it`, async () => {
    const stream = streamOf(text);
    const model = modelFor(stream);
    const records = recordsOf(12);
    const cut = 260;
    const random = mulberry32(5);
    const future = records.slice(cut).map(({ value }) => Buffer.from(value ?? []));
    for (let i = future.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [future[i], future[j]] = [future[j], future[i]];
    }
    const other = [...records.slice(0, cut), ...future.map((value, i) => ({ ...records[cut + i], value }))];
    const past = (lines: readonly string[]): string[] =>
      lines.filter((line) => Number(/offset=(\d+)i/.exec(line)?.[1]) < cut).sort();
    const [one, two] = [await online(stream, model, records, 8), await online(stream, model, other, 9)];
    assert.deepEqual(past(one.lines), past(two.lines));
    assert(past(one.lines).length > 20);
    assert.notDeepEqual([...one.lines].sort(), [...two.lines].sort());
  });
