/** `fastest` takes what measures best where that is worth other last bits, in a bounded time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EngineCost, fastestOf, measureEngines, type SingleKind, stepMsAt } from '@tideline/nn';
import { modelOf, randomOf, TICK_LIKE } from '../../contract/engine-model.ts';

const MODEL = modelOf(TICK_LIKE, randomOf(31));

function cost(kind: SingleKind, byWidth: Readonly<Record<number, number>>): EngineCost {
  const costs = Object.entries(byWidth).map(([width, stepMs]) => ({ width: Number(width), stepMs, measured: true }));
  return { kind, costs, problem: costs.length > 0 ? null : 'It is not installed.' };
}

test('the fastest depends on the width, and the first stays where another gains little', () => {
  const costs = [
    cost('simd-native', {}),
    cost('simd-wasm', { 1: 0.01, 64: 0.4, 512: 3 }),
    cost('reference', { 1: 0.1, 64: 6, 512: 50 }),
    cost('tfjs-node', { 1: 0.2, 64: 0.35, 512: 1.9 }),
  ];
  assert.equal(fastestOf(costs, 1), 'simd-wasm');
  // 1.14 times as fast is not worth other bits, 1.58 times is.
  assert.equal(fastestOf(costs, 64), 'simd-wasm');
  assert.equal(fastestOf(costs, 512), 'tfjs-node');
  assert.equal(fastestOf([cost('simd-native', {})], 1), null);
});

test('measuring ends when its time is up: wider steps are then given as what they cost at most', async () => {
  let clock = 0;
  // Every look at the clock takes 10 ms, so a time of 40 ms is up within the first widths.
  const now = (): number => {
    clock += 10;
    return clock;
  };
  const [measured] = await measureEngines(MODEL, ['reference'], { widths: [64, 1, 8, 8], budgetMs: 40, now });
  assert.deepEqual(
    measured.costs.map(({ width }) => width),
    [1, 8, 64],
  );
  assert.deepEqual(
    measured.costs.map((one) => one.measured),
    [true, false, false],
  );
  assert.equal(stepMsAt(measured, 64), 64 * stepMsAt(measured, 1));
});

test('an engine that does not load is reported with its cure, the others are measured', async () => {
  const seen: string[] = [];
  const costs = await measureEngines(MODEL, ['tfjs-node-gpu', 'reference', 'tfjs-node'], {
    ...{ widths: [1, 4], budgetMs: 10, now: () => performance.now() },
    onEngine: ({ kind }) => void seen.push(kind),
  });
  assert.deepEqual(seen, ['tfjs-node-gpu', 'reference', 'tfjs-node']);
  const [gpu, reference] = costs;
  assert(gpu.problem === null || /no GPU|not installed|does not load/.test(gpu.problem));
  assert.equal(reference.problem, null);
  assert(reference.costs.every(({ stepMs }) => stepMs > 0));
});
