/** Bars made in the stream, splits, and bars that are sent again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, createSimdEngine, initWeights } from '@tideline/nn';
import type { LatePolicy } from '@tideline/pipeline';
import { createDeclaredStream, mulberry32, readDeclaration } from '@tideline/streams';
import { runRecords } from '../pipeline/order-run.ts';
import { advanceAll, rawRecord, streamOf, TS } from './declared-run.ts';

type Tick = readonly [atMs: number, price: number, size?: number];

const MINUTE = 60_000;
const START = Math.ceil(TS / MINUTE) * MINUTE;
const BAR = ['open', 'high', 'low', 'close', 'volume', 'ticks', 'vwap', 'price'];

/** Which ticks closed a bar, and the bar. */
function barsOf(bars: string, ticks: readonly Tick[]): (readonly [number, readonly number[]])[] {
  const stream = streamOf(`
    name: t
    key: k
    time: ts
    fields: {price: {above: 0}, size: {required: false}}
    bars: ${bars}
    features: [${BAR.map((name) => `{op: field, of: ${name}, name: f_${name}}`).join(', ')}, {op: time_gap}]
    output: {kind: raw, fields: [y]}`);
  const records = ticks.map(([at, price, size], i) => rawRecord({ k: 'a', ts: START + at, price, size }, i));
  return advanceAll(stream, records).flatMap(({ action, inputs }, i) =>
    action === 'step' ? [[i, inputs] as const] : [],
  );
}

const TICKS: readonly Tick[] = [
  [0, 10, 2],
  [20_000, 14, 1],
  [59_999, 8, 1],
  [60_000, 9, 5],
  [59_000, 99, 7], // of a bar that is closed
  [61_000, 11],
  [200_000, 12, 3], // two minutes without a tick
  [260_000, 13, 1],
];

test('a time bar closes with the first tick of a later one, and an empty span has no bar', () => {
  assert.deepEqual(barsOf('{kind: time, span_ms: 60000, price: price, volume: size}', TICKS), [
    [3, [10, 14, 8, 8, 4, 3, 10.5, 8, 0]],
    [6, [9, 11, 9, 11, 5, 2, 9, 11, MINUTE]],
    [7, [12, 12, 12, 12, 3, 1, 12, 12, 2 * MINUTE]],
  ]);
});

test('spans of time bars begin where the offset says', () => {
  const bars = barsOf('{kind: time, span_ms: 60000, offset_ms: 30000, price: price, volume: size}', TICKS);
  assert.deepEqual(bars[0], [2, [10, 14, 10, 14, 3, 2, Math.fround(34 / 3), 14, 0]]);
});

test('a bar of ticks closes with the tick that fills it', () => {
  assert.deepEqual(barsOf('{kind: ticks, count: 3, price: price}', TICKS.slice(0, 4)), [
    [2, [10, 14, 8, 8, 0, 3, 8, 8, 0]],
  ]);
});

test('a bar of volume closes with the tick that fills it, which is in it whole', () => {
  const bars = barsOf('{kind: volume, size: 4, price: price, volume: size}', TICKS.slice(0, 4));
  assert.deepEqual(bars, [
    [2, [10, 14, 8, 8, 4, 3, 10.5, 8, 0]],
    [3, [9, 9, 9, 9, 5, 1, 9, 9, 1]],
  ]);
});

const DAILY = `
name: daily
key: ticker
time: {field: date, unit: iso}
fields: {open: {above: 0}, high: {above: 0}, low: {above: 0}, close: {above: 0}, volume: {at_least: 0}}
features:
  - {op: split_guard, of: close, jump: 0.4, name: guarded, input: false}
  - {op: log_return, of: guarded, name: r}
  - {op: relative, of: [open, close]}
  - {op: volatility, of: r, name: sigma, input: false}
output: {kind: quantiles, of: guarded, last: close, unit: sigma}
repeated: time
late: dead-letter
warm_up: 1`;

const day = (d: number, close: number, offset: number) =>
  rawRecord({ ticker: 'A', date: `2014-01-0${d}`, open: close, high: close, low: close, close, volume: 5 }, offset);

function playDaily(records: ReturnType<typeof day>[], late?: LatePolicy) {
  const stream = createDeclaredStream(readDeclaration('daily', DAILY), { modelName: 'm', ...(late ? { late } : {}) });
  const spec = { name: 'm', cell: 'gru', inputSize: 2, hiddenSize: 4, layers: 1, outputSize: 3 } as const;
  const model = createModel(spec, initWeights(spec, mulberry32(1)));
  return runRecords(records, {
    stream,
    newEngine: () => createSimdEngine(model, { slotsMax: 4 }),
    draw: () => 1,
    writesACrash: 0,
  });
}

test('a split is no return: the series goes on, the jump is told, and the price stays the price', async () => {
  const { lines } = await playDaily([day(1, 100, 0), day(2, 101, 1), day(3, 50.5, 2), day(6, 51, 3)]);
  assert.equal(lines.filter((line) => line.startsWith('alert,')).length, 1);
  assert.match(
    lines.find((line) => line.startsWith('alert,')) ?? '',
    /^alert,kind=jump,series=A,stream=daily offset=2i,partition=0i,value=0\.5 /,
  );
  assert.match(lines.at(-1) ?? '', / last=51,q10=/);
  const stream = streamOf(DAILY);
  const rows = advanceAll(stream, [day(1, 100, 0), day(2, 101, 1), day(3, 50.5, 2), day(6, 51, 3)]);
  const returns = rows.map(({ inputs }) => inputs[0]);
  assert.deepEqual(returns, [0, Math.log(1.01), 0, Math.log(51 / 50.5)].map(Math.fround));
});

test('a bar that is sent again is refused with its reason, and changes nothing', async () => {
  const records = [day(1, 100, 0), day(2, 101, 1), day(2, 107, 2), day(1, 100, 3), day(3, 102, 4)];
  const [all, once] = await Promise.all([playDaily(records), playDaily(records.filter((_, i) => i !== 2 && i !== 3))]);
  assert.deepEqual(all.lines, once.lines);
  assert.deepEqual(all.states, once.states);
  assert.deepEqual(
    all.letters.map(({ reason }) => reason.slice(0, 9)),
    ['Repeated:', 'Late: its'],
  );
});

test('a bar whose price is zero or negative is a dead letter that names the field', async () => {
  const { letters } = await playDaily([day(1, 100, 0), day(2, 0, 1), day(3, -5, 2), day(6, 101, 3)]);
  assert.deepEqual(
    letters.map(({ field, code }) => [field, code]),
    [
      ['open', 'POISON_RECORD'],
      ['open', 'POISON_RECORD'],
    ],
  );
  assert.match(letters[0].reason, /'open' is 0, must be a finite number above 0/);
});

test('a series has no forecast before its warm-up', async () => {
  const { lines } = await playDaily([day(1, 100, 0), day(2, 101, 1), day(3, 102, 2)]);
  assert.deepEqual(
    lines.map((line) => /offset=(\d)i/.exec(line)?.[1]),
    ['1', '2'],
  );
});
