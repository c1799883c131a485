import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Arena } from '../../bench/engines/arena.ts';
import { macsOf, throughputCases } from '../../bench/engines/cases.ts';
import { type ContestantCommand, ContestantError } from '../../bench/engines/contestant-process.ts';
import { withTables } from '../../bench/engines/docs.ts';
import type { Sliced, SliceRequest } from '../../bench/engines/protocol.ts';
import type { ThroughputCase } from '../../bench/engines/result.ts';
import { runRounds } from '../../bench/engines/rounds.ts';
import { median, percentile, spreadOf } from '../../bench/engines/statistics.ts';
import { judge } from '../../bench/engines/targets.ts';
import { maxDifference } from '../../bench/engines/vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'tideline-bench-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = throughputCases({ quick: false })[0];
const SLICE: SliceRequest = { do: 'slice', ms: 2, warmMs: 1, callsMin: 1, each: false };

function engine(kind: string): ContestantCommand {
  const script = fileURLToPath(new URL('../../bench/engines/tideline-contestant.js', import.meta.url));
  return { name: kind, command: process.execPath, args: [script, kind] };
}

/** A contestant whose every output is 7. */
function liar(): ContestantCommand {
  const outputs = Buffer.from(new Float32Array(30).fill(7).buffer).toString('base64');
  const answers = JSON.stringify({ load: { variant: '' }, check: { outputs }, drop: {} });
  const code = `console.log('{"version":"1"}');require('readline').createInterface({input:process.stdin})
    .on('line', (line) => console.log(JSON.stringify(${answers}[JSON.parse(line).do])));`;
  return { name: 'liar', command: process.execPath, args: ['-e', code] };
}

test('a contestant is timed only where its outputs are right, and one that cannot start says why', async () => {
  const gone: ContestantCommand = {
    name: 'gone',
    command: process.execPath,
    args: ['-e', 'throw new Error("no such")'],
  };
  await using arena = await Arena.open([engine('simd-wasm'), liar(), gone, engine('reference')], folder);
  assert.deepEqual(
    arena.absent.map(({ name }) => name),
    ['gone'],
  );
  await arena.withCase(
    SMALL,
    () => true,
    async (ready, refused) => {
      assert.deepEqual(ready.map(({ contestant }) => contestant.name).toSorted(), ['reference', 'simd-wasm']);
      assert.ok(ready.every(({ difference }) => difference < 1e-6));
      assert.deepEqual(
        refused.map(({ name, isWrong }) => ({ name, isWrong })),
        [{ name: 'liar', isWrong: true }],
      );
      const { calls, ns, processorNs } = await ready[0].contestant.slice(SLICE);
      assert.ok(calls >= 1 && ns >= 2e6 && processorNs > 0);
      const timed = await ready[0].contestant.slice({ ...SLICE, each: true, callsMin: 5 });
      assert.ok(timed.each.length >= 5 && timed.each.length === timed.calls);
    },
  );
});

test('every contestant has one slice in every round, and who begins changes', async () => {
  const order: string[] = [];
  const sliced: Sliced = { calls: 10, ns: 1e6, processorNs: 1e6, each: [] };
  const contestants = ['a', 'b', 'c'].map((name) => ({
    name,
    slice: async () => {
      order.push(name);
      return name === 'c' ? { ...sliced, ns: 1e9 } : sliced;
    },
  }));
  const limits = { sliceMs: 1, callsMin: 1, each: false, slowMs: 50, budgetMs: 60_000, beside: async () => 1 };
  const { samples, beside } = await runRounds(contestants, { ...limits, rounds: 5 });
  assert.equal(beside.length, 5);
  assert.equal(samples.filter(({ name }) => name === 'a').length, 5);
  // One call of c takes 100 ms: it is heard in every fourth round.
  assert.deepEqual(
    samples.filter(({ name }) => name === 'c').map(({ round }) => round),
    [0, 4],
  );
  assert.deepEqual(order.slice(0, 3), ['a', 'b', 'c']);
  assert.notEqual(order[3], 'a');
});

test('a contestant that fails in its slice is told with its reason and takes nobody along', async () => {
  const sliced: Sliced = { calls: 1, ns: 1e6, processorNs: 1e6, each: [] };
  let slices = 0;
  const failing = {
    name: 'failing',
    slice: async () => {
      slices += 1;
      if (slices === 2) throw new ContestantError('out of memory');
      return sliced;
    },
  };
  const steady = { name: 'steady', slice: async () => sliced };
  const limits = { sliceMs: 1, callsMin: 1, each: false, slowMs: 50, budgetMs: 60_000, beside: async () => 1 };
  const { samples, failed } = await runRounds([failing, steady], { ...limits, rounds: 4 });
  assert.deepEqual(failed, [{ name: 'failing', why: 'out of memory' }]);
  assert.deepEqual([slices, samples.length, samples.every(({ name }) => name === 'steady')], [2, 4, true]);
});

test('middle and percentiles are those of the values, not of a line between them', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(percentile([5, 1, 4, 2, 3], 0.99), 5);
  assert.equal(percentile([5, 1, 4, 2, 3], 0.5), 3);
  assert.deepEqual(spreadOf([1, 2, 3, 4]), { median: 2.5, low: 1, high: 3 });
  assert.ok(Number.isNaN(median([])));
});

test('a difference that is not a number, or another length, is infinite', () => {
  const one = Float32Array.of(1, 2);
  assert.equal(maxDifference(one, Float32Array.of(1, 2.5)), 0.5);
  assert.equal(maxDifference(one, Float32Array.of(1, Number.NaN)), Number.POSITIVE_INFINITY);
  assert.equal(maxDifference(one, Float32Array.of(1)), Number.POSITIVE_INFINITY);
});

test('multiply-adds of a step count both products of every layer and the head', () => {
  const spec = { name: 'x', cell: 'lstm', inputSize: 16, hiddenSize: 64, layers: 2, outputSize: 3 } as const;
  assert.equal(macsOf(spec), 4 * 64 * (16 + 64) + 4 * 64 * (64 + 64) + 3 * 64);
});

test('a target passes at its number, fails below it, and is not measured where its case or engine is not there', () => {
  const spread = (value: number) => ({ median: value, low: value, high: value });
  const contestant = {
    ...{ name: 'simd-wasm', variant: '', stepsPerSecond: spread(1), best: 1, rounds: 1, onProcessor: 1, difference: 0 },
    ...{ gflops: 1, ofFmaPeak: 0.2, ofWasmPeak: 0.49 },
    over: { 'onnxruntime-node': spread(0.6), pytorch: spread(0.9) },
  };
  const found: ThroughputCase = {
    ...{ id: '', title: 't', shape: 'LSTM 16->64x2', batch: 512, macs: 1, weightBytes: 4, readRate: null, refused: [] },
    contestants: [contestant],
  };
  const targets = judge([found]).filter(({ engine: name }) => name === 'simd-wasm');
  const verdictOf = (what: RegExp, where: string) =>
    targets.find((target) => what.test(target.what) && target.where.includes(where))?.verdict;
  assert.equal(verdictOf(/onnxruntime/, 'LSTM 16->64x2, batch 512'), 'pass');
  assert.equal(verdictOf(/onnxruntime/, 'LSTM 16->64x2, batch 64'), 'not measured');
  assert.equal(verdictOf(/ceiling/, ''), 'fail');
  assert.equal(verdictOf(/PyTorch/, ''), 'fail');
  assert.equal(verdictOf(/TensorFlow/, ''), 'not measured');
  assert.ok(judge([found]).some(({ engine: name, verdict }) => name === 'simd-native' && verdict === 'not measured'));
});

test('the tables take their place in docs/benchmarks.md and leave the rest of the page alone', () => {
  const begin = '<!-- engines: written by `npm run bench -- engines --write-docs` -->';
  const page = `# Title\n${begin}\nold\n<!-- engines: end -->\nafter\n`;
  assert.equal(withTables(page, 'new'), `# Title\n${begin}\nnew\n\n<!-- engines: end -->\nafter\n`);
  assert.throws(() => withTables('# Title\n', 'new'), /has lost the lines/);
});
