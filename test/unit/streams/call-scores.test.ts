/** What forecasts about calls were worth: each is scored once its turns were said, and the sums over points are the scores. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSimdEngine, loadModel } from '@tideline/nn';
import { ChunkBuilder, lineFields, lineTags, PoisonRecordError, type RawRecord, splitLine } from '@tideline/pipeline';
import {
  createCallStream,
  ESCALATION_TURNS,
  FORECAST_SCORES_SIZE,
  type FollowedTurn,
  followForecasts,
  generatedCalls,
  mulberry32,
  settleCall,
} from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';
import { runRecords } from '../pipeline/order-run.ts';

const QUIET: FollowedTurn = {
  ...{ isCustomer: false, isNegative: false, rating: Number.NaN, escalation: null, dissatisfied: null },
  callDissatisfied: null,
};

test('a forecast over the next turns is settled by exactly those, once, in the bin of what it said', () => {
  const state = new Float64Array(FORECAST_SCORES_SIZE + 3);
  const turn = (more: Partial<FollowedTurn>) => followForecasts({ ...QUIET, ...more }, state, 3, 'turns');
  assert.equal(ESCALATION_TURNS, 3);
  assert.deepEqual(turn({ escalation: 0.85, isNegative: true }), [], 'its own turn is not one of the next');
  assert.deepEqual(turn({ escalation: 0.2 }), []);
  assert.deepEqual(turn({ escalation: 1 }), []);
  // 0.85 was wrong: none of the next three was negative.
  assert.deepEqual(turn({ escalation: 0.1 }), [
    { of: 'escalation', bin: 8, count: 1, came: 0, saidSum: 0.85, brierSum: 0.85 ** 2 },
  ]);
  assert.deepEqual(turn({ isNegative: true, escalation: 0 }), [
    { of: 'escalation', bin: 2, count: 1, came: 1, saidSum: 0.2, brierSum: 0.8 ** 2 },
  ]);
  assert.deepEqual(turn({}), [{ of: 'escalation', bin: 9, count: 1, came: 1, saidSum: 1, brierSum: 0 }]);
  assert.deepEqual([...state.slice(0, 3)], [0, 0, 0], 'nothing is written before its place');
});

test("forecasts of the customer's next turn wait for it together; a rating settles satisfaction, and a turn without one nothing", () => {
  const state = new Float64Array(FORECAST_SCORES_SIZE);
  const turn = (more: Partial<FollowedTurn>) => followForecasts({ ...QUIET, ...more }, state, 0, 'customer');
  for (let i = 0; i < 12; i += 1) assert.deepEqual(turn({ escalation: 0.31, dissatisfied: 0.05 }), [], 'agents speak');
  const [escalation, dissatisfied, ...others] = turn({
    isCustomer: true,
    isNegative: true,
    rating: 2,
    escalation: 0.6,
  });
  assert.deepEqual(others, []);
  assert.equal(escalation.bin, 3);
  assert.equal(escalation.count, 8, 'no more than eight wait');
  assert.equal(escalation.came, 8);
  assert.ok(Math.abs(escalation.brierSum - 8 * 0.69 ** 2) < 1e-12);
  assert.deepEqual([dissatisfied.of, dissatisfied.count, dissatisfied.came], ['dissatisfied', 8, 8]);
  assert.deepEqual(turn({ dissatisfied: 0.9 }), []);
  const second = turn({ isCustomer: true });
  assert.deepEqual(
    second.map(({ of, bin, came }) => [of, bin, came]),
    [['escalation', 6, 0]],
    'nobody rated the turn, so nobody knows of 0.9',
  );
  assert.deepEqual(turn({ isCustomer: true, rating: 5 }), [], 'and it waits no longer');
});

test("what every turn said of the whole call is settled by the call's own rating, however long it was; without one nothing is", () => {
  const state = new Float64Array(FORECAST_SCORES_SIZE + 1);
  const said = [0.12, 0.18, 0.9, 1];
  for (let i = 0; i < 100; i += 1) followForecasts({ ...QUIET, callDissatisfied: said[i % 4] }, state, 1, 'turns');
  const [low, high, read, ...others] = settleCall({ rating: 2, dissatisfied: 0.7 }, state, 1);
  assert.deepEqual([low.of, low.bin, low.count, low.came], ['call', 1, 50, 50]);
  assert.deepEqual([high.of, high.bin, high.count, high.came], ['call', 9, 50, 50]);
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a}, not ${b}`);
  near(low.saidSum, 25 * 0.3);
  near(low.brierSum, 25 * (0.88 ** 2 + 0.82 ** 2));
  near(high.brierSum, 25 * 0.1 ** 2);
  assert.deepEqual([read.of, read.bin, read.count, read.came], ['summary', 7, 1, 1]);
  assert.deepEqual(others, []);
  near(settleCall({ rating: 4, dissatisfied: null }, state, 1)[0].brierSum, 25 * (0.12 ** 2 + 0.18 ** 2));
  assert.deepEqual(settleCall({ rating: Number.NaN, dissatisfied: 0.7 }, state, 1), []);
});

const { model } = await loadModel(join(ROOT, 'models', 'calls-gru', 'model.tdl'));

function run(records: readonly RawRecord[], seed: number) {
  const random = mulberry32(seed);
  return runRecords(records, {
    stream: createCallStream({ modelName: 'm', model, points: ['scores'] }),
    newEngine: () => createSimdEngine(model, { slotsMax: 400 }),
    draw: (below) => (seed === 0 ? below >> 1 : Math.floor(random() * below)),
    writesACrash: seed === 0 ? 0 : 6,
  });
}

function valuesOf(line: string): { tags: ReadonlyMap<string, string>; values: Readonly<Record<string, number>> } {
  const { head, fields } = splitLine(line);
  const numbers = [...lineFields(fields)].map(([name, text]) => [name, Number(text.replace(/i$/, ''))] as const);
  return { tags: lineTags(head), values: Object.fromEntries(numbers) };
}

test('over generated calls, wherever the forecaster dies, the scores are those of what was said and what came', async () => {
  const records = [...generatedCalls({ seed: 9, calls: 40 })].map(({ key, value }, offset) => ({
    ...{ offset, key: Buffer.from(key), value: Buffer.from(value), timestampMs: 0, headers: {} },
  }));
  const { lines } = await run(records, 0);
  const expected = Array.from({ length: 10 }, () => ({ count: 0, came: 0, said: 0, brier: 0 }));
  const waiting = new Map<string, number[]>();
  for (const { tags, values } of lines.filter((line) => line.startsWith('sentiment,')).map(valuesOf)) {
    const call = String(tags.get('series'));
    const open = waiting.get(call) ?? [];
    if (tags.get('speaker') === 'customer') {
      const came = values.negative > values.neutral && values.negative > values.positive ? 1 : 0;
      for (const said of open.splice(0)) {
        const bin = expected[Math.min(9, Math.floor(said * 10))];
        bin.count += 1;
        bin.came += came;
        bin.said += said;
        bin.brier += (said - came) ** 2;
      }
    }
    waiting.set(call, [...open, values.escalation]);
  }
  const found = Array.from({ length: 10 }, () => ({ count: 0, came: 0, said: 0, brier: 0 }));
  for (const { tags, values } of lines.filter((line) => line.startsWith('score,')).map(valuesOf)) {
    assert.deepEqual(
      ['of', 'model', 'stream', 'series'].map((name) => tags.get(name)),
      ['escalation', 'm', 'calls', undefined],
    );
    const bin = found[Number(tags.get('bin'))];
    bin.count += values.count;
    bin.came += values.came;
    bin.said += values.said_sum;
    bin.brier += values.brier_sum;
  }
  assert.ok(found.reduce((sum, { count }) => sum + count, 0) > 200);
  found.forEach((bin, b) => {
    assert.deepEqual([bin.count, bin.came], [expected[b].count, expected[b].came], `bin ${b}`);
    assert.ok(Math.abs(bin.said - expected[b].said) < 1e-6 && Math.abs(bin.brier - expected[b].brier) < 1e-6);
  });
  for (const seed of [1, 2]) assert.deepEqual((await run(records, seed)).lines, lines, `seed ${seed}`);
});

test('the expected rating of a call that is over is scored once by the rating that came with its end, wherever the forecaster dies', async () => {
  const { model: summaryModel } = await loadModel(join(ROOT, 'models', 'calls-summary', 'model.tdl'));
  const ratings = new Map<string, number>();
  // Every third call is not rated.
  const records = [...generatedCalls({ seed: 12, calls: 60 })].map(({ key, value }, offset): RawRecord => {
    const event = JSON.parse(value) as { type: string; satisfaction?: number };
    if (event.type === 'ended' && ratings.size % 3 !== 2) event.satisfaction = 1 + (offset % 5);
    else delete event.satisfaction;
    if (event.type === 'ended') ratings.set(key, event.satisfaction ?? Number.NaN);
    const bytes = { key: Buffer.from(key), value: Buffer.from(JSON.stringify(event)) };
    return { offset, ...bytes, timestampMs: 0, headers: {} };
  });
  const runWith = (seed: number) => {
    const random = mulberry32(seed);
    return runRecords(records, {
      stream: createCallStream({ modelName: 'm', model, points: ['scores', 'summary'], summaryModel }),
      newEngine: () => createSimdEngine(model, { slotsMax: 400 }),
      draw: (below) => (seed === 0 ? below >> 1 : Math.floor(random() * below)),
      writesACrash: seed === 0 ? 0 : 6,
    });
  };
  const { lines } = await runWith(0);
  const expected = { count: 0, came: 0, brier: 0 };
  for (const { tags, values } of lines.filter((line) => line.startsWith('call_summary,')).map(valuesOf)) {
    const rating = ratings.get(String(tags.get('series'))) ?? Number.NaN;
    if (!(rating >= 1)) continue;
    const came = rating < 3 ? 1 : 0;
    expected.count += 1;
    expected.came += came;
    expected.brier += (values.dissatisfied - came) ** 2;
  }
  const found = { count: 0, came: 0, brier: 0 };
  for (const { tags, values } of lines.filter((line) => line.startsWith('score,')).map(valuesOf)) {
    if (tags.get('of') !== 'summary') continue;
    assert.equal(tags.get('model'), 'calls-summary');
    found.count += values.count;
    found.came += values.came;
    found.brier += values.brier_sum;
  }
  assert.ok(expected.count > 20 && expected.came > 5);
  assert.deepEqual([found.count, found.came], [expected.count, expected.came]);
  assert.ok(Math.abs(found.brier - expected.brier) < 1e-6);
  // Ends are told behind the rows of their batch: the order is the batches', the points are the same.
  for (const seed of [1, 2]) assert.deepEqual((await runWith(seed)).lines.toSorted(), lines.toSorted(), `seed ${seed}`);
});

test('a rating is a number from 1 to 5, and anything else is a poison record', () => {
  const stream = createCallStream({ modelName: 'm' });
  const decode = (satisfaction: unknown): void => {
    const value = {
      callId: 'c',
      ts: 1_700_000_000_000,
      type: 'utterance',
      speaker: 'customer',
      text: 'Well.',
      satisfaction,
    };
    const bytes = { key: Buffer.from('c'), value: Buffer.from(JSON.stringify(value)) };
    stream.decode({ offset: 0, ...bytes, timestampMs: 0, headers: {} }, new ChunkBuilder(stream.schema, 1));
  };
  decode(undefined);
  decode(4);
  for (const wrong of [0, 6, 'good', [3]])
    assert.throws(
      () => decode(wrong),
      (error: unknown) => error instanceof PoisonRecordError && error.field === 'satisfaction',
    );
});
