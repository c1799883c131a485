/** Each online operator against its formula over the whole past, worked out anew at every row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mulberry32 } from '@tideline/streams';
import { advanceAll, inputsOf, rawRecord, streamOf, TS } from './declared-run.ts';

const random = mulberry32(7);
const VALUES = Array.from({ length: 60 }, () => 50 + 10 * random());
const first = (rows: readonly (readonly number[])[]): number[] => rows.map(([value]) => value);

function near(actual: readonly number[], expected: readonly number[], relative = 1e-6): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    const error = Math.abs(value - expected[i]);
    assert(error <= relative * Math.max(1, Math.abs(expected[i])), `row ${i}: ${value}, expected ${expected[i]}`);
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
/** The last k values up to row i. */
const last = (values: readonly number[], i: number, k: number): readonly number[] =>
  values.slice(Math.max(0, i + 1 - k), i + 1);

const FORMULAS: Readonly<Record<string, (values: readonly number[], i: number) => number>> = {
  '{op: field, of: x, scale: 0.5}': (v, i) => v[i] / 2,
  '{op: field, of: x, scale: -1, clip: [-55, 0]}': (v, i) => Math.max(-55, -v[i]),
  '{op: log, of: p}': (v, i) => Math.log(v[i]),
  '{op: log1p, of: x}': (v, i) => Math.log1p(v[i]),
  '{op: log_return, of: p, scale: 100}': (v, i) => (i < 1 ? 0 : 100 * Math.log(v[i] / v[i - 1])),
  '{op: log_return, of: p, steps: 7}': (v, i) => (i < 7 ? 0 : Math.log(v[i] / v[i - 7])),
  '{op: change, of: x, steps: 2}': (v, i) => (i < 2 ? 0 : v[i] - v[i - 2]),
  '{op: sign_change, of: x}': (v, i) => (i < 1 ? 0 : Math.sign(v[i] - v[i - 1])),
  '{op: lag, of: x, steps: 3, absent: -1}': (v, i) => (i < 3 ? -1 : v[i - 3]),
  '{op: mean, of: x, window: 5}': (v, i) => (i < 4 ? 0 : mean(last(v, i, 5))),
  '{op: share, of: x, window: 5}': (v, i) => v[i] / sum(last(v, i, 5)),
  '{op: realised_variance, of: x, window: 4}': (v, i) => (i < 3 ? 0 : sum(last(v, i, 4).map((x) => x * x))),
  '{op: z_score, of: x, window: 6}': (v, i) => {
    const window = last(v, i, 6);
    const deviation = Math.sqrt(mean(window.map((x) => (x - mean(window)) ** 2)));
    return i < 1 ? 0 : (v[i] - mean(window)) / deviation;
  },
  '{op: ewma, of: x, weight: 0.1}': (v, i) => {
    let value = 0;
    for (let j = 0; j <= i; j += 1) value += Math.max(0.1, 1 / (j + 1)) * (v[j] - value);
    return value;
  },
  '{op: ew_variance, of: x, weight: 0.1}': (v, i) => {
    let value = 0;
    for (let j = 0; j <= i; j += 1) value += Math.max(0.1, 1 / (j + 1)) * (v[j] ** 2 - value);
    return value;
  },
  '{op: volatility, of: x, weight: 0.1, prior: 50, prior_rows: 3}': (v, i) => {
    let value = 2_500;
    for (let j = 0; j <= i; j += 1) value += Math.max(0.1, 1 / (j + 4)) * (v[j] ** 2 - value);
    return Math.sqrt(value);
  },
  '{op: time_gap, unit: s}': (_, i) => (i === 0 ? 0 : 1),
  '{op: time_gap, cap_ms: 400}': (_, i) => (i === 0 ? 0 : 400),
  '{op: calendar, cycle: day, part: sin}': (_, i) =>
    Math.sin((2 * Math.PI * ((TS + 1000 * i) % 86_400_000)) / 86_400_000),
  '{op: calendar, cycle: hour, part: cos, utc_offset_min: 30}': (_, i) =>
    Math.cos((2 * Math.PI * ((TS + 1_800_000 + 1000 * i) % 3_600_000)) / 3_600_000),
};

for (const [feature, formula] of Object.entries(FORMULAS))
  test(`${feature} is its formula at every row`, () => {
    near(
      first(inputsOf(feature, VALUES)),
      VALUES.map((_, i) => formula(VALUES, i)),
    );
  });

test('two-sided operators take their sources in order', () => {
  const stream = streamOf(`
    name: quotes
    key: k
    time: ts
    fields: {bid: {above: 0}, ask: {above: 0}, bidSize: {at_least: 0}, askSize: {at_least: 0}}
    features:
      - {op: spread, of: [bid, ask]}
      - {op: imbalance, of: [bidSize, askSize]}
      - {op: middle, of: [bid, ask]}
      - {op: minus, of: [ask, bid]}
      - {op: ratio, of: [ask, bid]}
      - {op: relative, of: [ask, bid]}
    output: {kind: raw, fields: [y]}`);
  const quote = { k: 'a', ts: TS, bid: 8, ask: 10, bidSize: 30, askSize: 10 };
  const [{ inputs }] = advanceAll(stream, [rawRecord(quote)]);
  near(inputs, [2 / 9, 0.5, 9, 2, 1.25, 0.25]);
});

test('a week begins on Monday at midnight', () => {
  const stream = streamOf(
    '{name: t, key: k, time: ts, fields: {x: {}}, features: [{op: calendar, cycle: week, part: sin}, ' +
      '{op: calendar, cycle: week, part: cos, name: c}], output: {kind: raw, fields: [y]}}',
  );
  const [{ inputs }] = advanceAll(stream, [rawRecord({ k: 'a', ts: Date.UTC(2024, 0, 1), x: 1 })]);
  near(inputs, [0, 1]);
});

test('features are made of features, and one that is no input is not seen by the network', () => {
  const rows = inputsOf(
    '{op: log_return, of: p, name: r, input: false}, {op: mean, of: r, window: 2}, {op: relative, of: [r, mean_r], clip: 3}',
    [1, 2, 4, 8],
  );
  near(
    rows.map((row) => row.length),
    [2, 2, 2, 2],
  );
  near(first(rows), [0, 0, Math.log(2), Math.log(2)]);
});

test('a value that is not known changes no state, and what is made of it is not known either', () => {
  const holes = [10, null, 20, null, null, 40];
  const without = holes.filter((value) => value !== null);
  for (const feature of Object.keys(FORMULAS).filter((text) => / of: [xp]/.test(text))) {
    const rows = first(inputsOf(feature, holes));
    const dense = first(inputsOf(feature, without));
    const absent = feature.includes('absent: -1') ? -1 : 0;
    if (feature.includes('op: volatility') || feature.includes('op: lag')) continue;
    assert.deepEqual(rows, [dense[0], absent, dense[1], absent, absent, dense[2]], feature);
  }
});

test('sums over a window keep no rounding error of what has left it', () => {
  const rows = first(inputsOf('{op: mean, of: x, window: 4}', [1e16, 3e15, 1, 7, ...Array<number>(20).fill(0.1)]));
  assert.deepEqual(rows.slice(8), Array<number>(16).fill(Math.fround(0.1)));
});

test('a constant series has a score of 0 whatever its rounding', () => {
  assert.deepEqual(
    first(inputsOf('{op: z_score, of: x, window: 5}', Array<number>(30).fill(0.1))),
    Array<number>(30).fill(0),
  );
});

test('what is not finite is not known, and what a float32 cannot hold is its largest value', () => {
  const rows = inputsOf('{op: ratio, of: [x, p], name: q}, {op: ewma, of: q, weight: 0.5}', [1e-320, 1, 3]);
  assert.equal(rows[0].length, 2);
  const [big] = inputsOf('{op: field, of: x, scale: 1e300}', [1e100, 1]);
  assert.deepEqual(big, [0], 'an overflow is not known');
  assert.deepEqual(inputsOf('{op: field, of: x}', [1e300])[0], [3.4028234663852886e38]);
});

test('a row that is older than the newest adds no time, and the gap is counted from the newest', () => {
  const stream = streamOf(
    '{name: t, key: k, time: ts, fields: {x: {}}, features: [{op: time_gap}], output: {kind: raw, fields: [y]}}',
  );
  const at = [0, 500, 200, 600].map((ms) => rawRecord({ k: 'a', ts: TS + ms, x: 1 }));
  assert.deepEqual(
    advanceAll(stream, at).map(({ inputs }) => inputs[0]),
    [0, 500, 0, 100],
  );
});
