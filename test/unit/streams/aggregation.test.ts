/** Experts beside the network, and quantiles that lie on ticks: what is told is never much worse than the best of them, and covers what it states. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mulberry32, pinball } from '@tideline/streams';
import { forecastsOf, streamWith, type Told, tell, walk } from './followed-run.ts';

const LEVELS = [0.1, 0.5, 0.9];

/** Mean pinball loss of the forecasts one row ahead, from row `from` on. */
function lossOf(told: readonly Told[], values: readonly number[], from: number): number {
  const rows = forecastsOf(told).slice(from, values.length - 1);
  const losses = rows.map(({ fields }, i) => {
    const y = Math.log(values[from + i + 1] / values[from + i]);
    return LEVELS.reduce((sum, level, k) => sum + pinball(level, y, fields[['r10', 'r50', 'r90'][k]]), 0) / 3;
  });
  return losses.reduce((sum, one) => sum + one, 0) / losses.length;
}

/** Of the normal returns of deviation `sigma`: nothing better can be said of them. */
function leastLoss(values: readonly number[], from: number, sigma: number): number {
  const told = values.map((_, i) => {
    const fields = { r10: -1.2816 * sigma, r50: 0, r90: 1.2816 * sigma };
    return { offset: i, head: 'forecast,', fields };
  });
  return lossOf(told, values, from);
}

test('a network that is wrong costs little where experts are asked: the loss is within 3 % of the least there is', () => {
  const values = walk(6_000, 3, () => 0.02);
  const least = leastLoss(values, 2_000, 0.02);
  // softplus(0) = 0.69, around a median of 2: thirty times too wide and far to one side.
  const z = [2, 0, 0];
  const alone = lossOf(tell(streamWith('horizons: [1], scores: {}'), values, { z }), values, 2_000);
  const asked = lossOf(tell(streamWith('horizons: [1], aggregation: {}'), values, { z }), values, 2_000);
  assert(alone > 20 * least, `${alone / least}`);
  assert(asked < 1.03 * least, `${asked / least}`);
});

test('what the inputs say of the next return is learnt', () => {
  const random = mulberry32(5);
  const signs = Array.from({ length: 6_001 }, () => (random() < 0.5 ? -1 : 1));
  const noise = walk(6_001, 7, () => 0.01);
  let log = Math.log(100);
  // After an input of 1 the price rises by 0.02 beside its noise, after -1 it falls by as much.
  const values = noise.map((value, i) => {
    const step = i === 0 ? 0 : Math.log(value / noise[i - 1]) + 0.02 * signs[i - 1];
    log += step;
    return Math.exp(log);
  });
  const seen = (i: number): number => signs[i];
  const z = [0, -4, -4];
  const plain = lossOf(tell(streamWith('horizons: [1], calibration: {}'), values, { z, seen }), values, 2_000);
  const asked = lossOf(tell(streamWith('horizons: [1], aggregation: {}'), values, { z, seen }), values, 2_000);
  const least = leastLoss(noise, 2_000, 0.01);
  assert(plain > 1.5 * least, `${plain / least}`);
  assert(asked < 1.1 * least, `${asked / least}`);
});

/** A price of ticks of 0.01 that mostly stands or goes one tick. */
function tickPrices(rows: number): number[] {
  const random = mulberry32(11);
  let price = 2_500;
  return Array.from({ length: rows }, () => {
    const u = random();
    // 8 % two ticks down, 22 % one down, 40 % none, 22 % one up, 8 % two up: the quantile 0.1 is one tick, with 22 % on it.
    price += u < 0.08 ? -2 : u < 0.3 ? -1 : u < 0.7 ? 0 : u < 0.92 ? 1 : 2;
    return Number((price / 100).toFixed(2));
  });
}

for (const tick of ['auto', '0.01'])
  test(`quantiles of prices on a grid lie on it, and hold the share that they state (tick: ${tick})`, () => {
    const values = tickPrices(8_000);
    const stream = streamWith(`horizons: [1], calibration: {rate: 0.03, memory: 1000}, aggregation: {}, tick: ${tick}`);
    const rows = forecastsOf(tell(stream, values)).slice(2_000, 7_999);
    let [below, above] = [0, 0];
    rows.forEach(({ fields }, i) => {
      for (const name of ['q10', 'q50', 'q90'])
        assert(Math.abs(fields[name] * 100 - Math.round(fields[name] * 100)) < 1e-4, `${fields[name]}`);
      const next = values[2_000 + i + 1];
      if (next < fields.q10) below += 1;
      if (next > fields.q90) above += 1;
    });
    for (const share of [below, above].map((count) => count / rows.length))
      assert(share > 0.095 && share < 0.105, `${share}`);
  });

test('values that stand on no grid are left where they are', () => {
  const values = walk(600, 9, () => 0.01);
  const told = (text: string): string =>
    JSON.stringify(tell(streamWith(`horizons: [1], aggregation: {}${text}`), values));
  assert.equal(told(', tick: auto'), told(''));
});

test('a stream without experts and ticks remembers what it did before there were any', () => {
  const { outputState } = streamWith('horizons: [1, 3], calibration: {}, scores: {}, online: {}');
  assert.equal(outputState?.meaning, 2894351589);
});
