/** What is told of forecasts is what came true: scores, corrections, coverage, all out of the series' output state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mulberry32 } from '@tideline/streams';
import { TS } from './declared-run.ts';
import { forecastsOf, scoresOf, streamWith, type Told, tell, walk } from './followed-run.ts';

test('scores of a horizon in steps are those of its forecasts against the rows that many steps later, summed by hand', () => {
  const values = walk(40, 1, () => 0.5);
  const told = tell(streamWith('horizons: [3], scores: {every: 37}'), values);
  const [one, ...others] = scoresOf(told);
  assert.deepEqual(others, []);
  assert.equal(one.offset, 39);
  const half = Math.LN2 * Math.sqrt(3);
  let [error, pinball, covered] = [0, 0, 0];
  for (let i = 0; i + 3 < 40; i += 1) {
    const y = Math.log(values[i + 3] / values[i]);
    error += Math.abs(y);
    if (Math.abs(y) <= half) covered += 1;
    const loss = (level: number, q: number): number => (y >= q ? level * (y - q) : (level - 1) * (y - q));
    pinball += (loss(0.1, -half) + loss(0.5, 0) + loss(0.9, half)) / 3;
  }
  assert.equal(one.fields.count, 37);
  assert.equal(one.fields.covered, covered);
  assert(covered > 10 && covered < 37);
  for (const [name, value] of Object.entries({ error_sum: error, naive_sum: error, pinball_sum: pinball }))
    assert(Math.abs(one.fields[name] - value) < 1e-12, `${name}: ${one.fields[name]}, not ${value}`);
  assert.equal(one.fields.mase, 1);
  assert(Math.abs(one.fields.coverage - covered / 37) < 1e-12);
});

test('a forecast of a horizon in time is scored against the first row at its target or after it', () => {
  // Rows at 0, 1.0, 1.9, 2.0, 9.0 s: two seconds after 0 is row 3, after 1.0 and after 1.9 it is row 4.
  const at = [0, 1_000, 1_900, 2_000, 9_000];
  const values = [100, 101, 102, 103, 104];
  const told = tell(streamWith('horizons: [2], per: s, scores: {every: 1}'), values, { stepMs: (i) => at[i] });
  assert.deepEqual(
    scoresOf(told).map(({ offset, fields, head }) => [offset, fields.count, head.includes('horizon=2s')]),
    [
      [3, 1, true],
      [4, 3, true],
    ],
  );
  const sum = [1, 2, 3].reduce((total, i) => total + Math.log(104 / values[i]), 0);
  assert(Math.abs(scoresOf(told)[1].fields.naive_sum - sum) < 1e-12);
  assert.equal(forecastsOf(told)[0].fields.target, TS + 2_000);
});

test('a ring that is too small for every forecast keeps one of each span, and it counts for all of them', () => {
  const values = walk(500, 2, () => 0.1);
  const of = (pending: number): Told[] =>
    tell(streamWith(`horizons: [60], per: s, pending: ${pending}, scores: {every: 400}`), values);
  const [all, few] = [scoresOf(of(64)), scoresOf(of(6))];
  assert.equal(all[0].fields.count, 400);
  assert(few[0].fields.count >= 400 && few[0].fields.count < 420, `${few[0].fields.count}`);
  assert(Math.abs(few[0].fields.naive_sum / few[0].fields.count / (all[0].fields.naive_sum / 400) - 1) < 0.1);
});

test('of a burst any forecast may be the one that is kept, so that intervals cover what they state of all of them', () => {
  // Five rows within 80 ms every four seconds. The price moves behind the first: what is learnt of the first rows alone is far too wide for the others.
  const [bursts, inBurst] = [3_000, 5];
  const steps = walk(bursts * inBurst, 6, (i) => (i % inBurst === 1 ? 0.1 : 0.01));
  const stepMs = (i: number): number => Math.floor(i / inBurst) * 4_000 + (i % inBurst) * 20;
  const stream = streamWith('horizons: [2], per: s, pending: 2, calibration: {rate: 0.1}');
  // softplus(-3.5) = 0.03.
  const run = { stepMs, z: [0, -3.5, -3.5] };
  const told = forecastsOf(tell(stream, steps, run));
  const rows = told.slice(1_000 * inBurst, (bursts - 1) * inBurst);
  const covered = rows.filter(({ offset, fields }) => {
    const y = steps[(Math.floor(offset / inBurst) + 1) * inBurst];
    return y >= fields.q10 && y <= fields.q90;
  });
  const share = covered.length / rows.length;
  assert(share > 0.76 && share < 0.84, `${share}`);
  assert.deepEqual(forecastsOf(tell(stream, steps, run)), told, 'nothing is left to chance');
});

test('bursts count by their rows, so that intervals cover what they state of all rows, not of all moments', () => {
  // A row a second for eight seconds, then twelve within 24 ms, behind which the price moves much.
  const [cycles, inCycle, quiet] = [1_500, 20, 8];
  const stepMs = (i: number): number => {
    const k = i % inCycle;
    return Math.floor(i / inCycle) * 10_000 + (k < quiet ? k * 1_000 : 7_900 + (k - quiet) * 2);
  };
  const values = walk(cycles * inCycle, 8, (i) => (i % inCycle === 0 ? 0.2 : i % inCycle < quiet ? 0.02 : 0.0001));
  const stream = streamWith('horizons: [1], per: s, pending: 4, tick: 0.0001, calibration: {rate: 0.02}');
  const rows = forecastsOf(tell(stream, values, { stepMs, z: [0, -3.5, -3.5] })).slice(500 * inCycle);
  const times = values.map((_, i) => stepMs(i));
  let [inside, all, aim] = [0, 0, 0];
  for (const { offset, fields } of rows) {
    aim = Math.max(aim, offset);
    while (aim < values.length && times[aim] < times[offset] + 1_000) aim += 1;
    if (aim === values.length) break;
    all += 1;
    if (values[aim] >= fields.q10 && values[aim] <= fields.q90) inside += 1;
  }
  assert(inside / all > 0.76 && inside / all < 0.84, `${inside / all}`);
});

test('calibrated intervals cover what they state after the regime has changed, and others do not', () => {
  const values = walk(8_000, 3, (i) => (i < 4_000 ? 0.02 : 0.2));
  const inside = (told: readonly Told[], from: number): number => {
    const rows = forecastsOf(told).slice(from, 7_999);
    const covered = rows.filter(({ fields }, i) => {
      const y = values[from + i + 1];
      return y >= fields.q10 && y <= fields.q90;
    });
    return covered.length / rows.length;
  };
  // softplus(-2.25) = 0.1: too wide before, too narrow after.
  const z = [0, -2.25, -2.25];
  const plain = tell(streamWith('horizons: [1]'), values, { z });
  const moved = tell(streamWith('horizons: [1], calibration: {}'), values, { z });
  assert(inside(plain, 1_000) < 0.7 && inside(plain, 4_500) < 0.5);
  for (const from of [1_000, 4_500, 6_000]) {
    const share = inside(moved, from);
    assert(share > 0.775 && share < 0.825, `${share} from row ${from}`);
  }
});

test('the online head learns what the network leaves in its inputs, and is not heard where there is nothing', () => {
  const random = mulberry32(4);
  const z = Array.from({ length: 3_000 }, () => random() - 0.5);
  const noise = walk(3_000, 5, () => 0.1).map(Math.log);
  let sum = 0;
  const driven = noise.map((log, i) => {
    sum += i === 0 ? 0 : 0.4 * z[i - 1];
    return Math.exp(log + sum);
  });
  const output = 'horizons: [1], scores: {every: 1500, memory: 1000}, online: {}';
  const mase = (values: readonly number[]): number =>
    scoresOf(tell(streamWith(output), values, { seen: (i) => z[i] }))[0].fields.mase;
  assert(mase(driven) < 0.7, `${mase(driven)}`);
  const nothing = mase(noise.map(Math.exp));
  assert(nothing < 1.03, `${nothing}`);
});

test('the probability of a rise and the volatility are those of the quantiles', () => {
  const [one] = tell(streamWith('horizons: [1], also: [up, volatility]'), [100], { z: [0.2, 0, 0] });
  const half = Math.LN2;
  const sigma = half / 1.2815515655446;
  assert(Math.abs(one.fields.volatility - sigma) < 1e-6);
  // Normal with median 0.2: P(above 0) = Phi(0.2 / sigma) = Phi(0.36977).
  assert(Math.abs(one.fields.up - 0.64422) < 1e-4, `${one.fields.up}`);
  const [sure] = tell(streamWith('horizons: [1], also: [up]'), [100], { z: [-9, 0, 0] });
  assert(sure.fields.up >= 0 && sure.fields.up < 1e-6);
});

test('other horizons are another meaning of an output state, and a stream that follows nothing has none', () => {
  assert.equal(streamWith('horizons: [1]').outputState, undefined);
  const [one, two] = ['horizons: [1], scores: {}', 'horizons: [2], scores: {}'].map(
    (text) => streamWith(text).outputState,
  );
  assert.notEqual(one?.meaning, two?.meaning);
});
