/** How a call stands at each turn: customer and agent apart, where it is going, and how its time was spent. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSimdEngine, loadModel } from '@tideline/nn';
import { lineFields, type RawRecord, splitLine } from '@tideline/pipeline';
import { type CallPoints, createCallStream, generatedCalls, mulberry32 } from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';
import { runRecords } from '../pipeline/order-run.ts';

const { model } = await loadModel(join(ROOT, 'models', 'calls-gru', 'model.tdl'));

function run(records: readonly RawRecord[], points: readonly CallPoints[], seed = 0) {
  const random = mulberry32(seed);
  return runRecords(records, {
    stream: createCallStream({ modelName: 'm', model, points }),
    newEngine: () => createSimdEngine(model, { slotsMax: 400 }),
    draw: (below) => (seed === 0 ? below >> 1 : Math.floor(random() * below)),
    writesACrash: seed === 0 ? 0 : 6,
  });
}

function rawOf(values: readonly { readonly key: string; readonly value: string }[]): RawRecord[] {
  return values.map(({ key, value }, offset) => ({
    ...{ offset, key: Buffer.from(key), value: Buffer.from(value), timestampMs: 0, headers: {} },
  }));
}

function fieldsOf(lines: readonly string[], measurement: string): ReadonlyMap<string, string>[] {
  return lines.filter((line) => line.startsWith(`${measurement},`)).map((line) => lineFields(splitLine(line).fields));
}

test('figures are the sums over the turns so far, and the trend is the weighted least-squares slope of their scores', async () => {
  const said = [
    { speaker: 'agent', text: 'Good morning, how may I help?', startMs: 0, endMs: 2_000 },
    { speaker: 'customer', text: 'This is terrible, I hate it.', startMs: 3_000, endMs: 6_000 },
    { speaker: 'agent', text: 'I am sorry.', startMs: 5_000, endMs: 7_000 },
    { speaker: 'customer', text: 'Thank you, that is wonderful!', startMs: 9_000, endMs: 10_000 },
  ];
  const events = said.map((event, i) => ({
    key: 'c1',
    value: JSON.stringify({ callId: 'c1', ts: 1_700_000_000_000 + i * 3_000, type: 'utterance', ...event }),
  }));
  const { lines } = await run(rawOf(events), ['figures']);
  const scores = fieldsOf(lines, 'sentiment').map((fields) => Number(fields.get('score')));
  const turns = fieldsOf(lines, 'turn');
  assert.ok(
    turns.every((fields) => !fields.has('text')),
    'no text was asked for',
  );
  const near = (turn: number, name: string, value: number): void => {
    const found = Number(turns[turn].get(name));
    assert.ok(Math.abs(found - value) < 1e-9, `${name} of turn ${turn}: ${found}, not ${value}`);
  };
  assert.equal(turns[0].has('customer_score'), false, 'the customer has said nothing yet');
  near(0, 'agent_score', scores[0]);
  near(0, 'trend', 0);
  near(3, 'agent_score', (scores[0] + scores[2]) / 2);
  near(3, 'customer_score', (scores[1] + scores[3]) / 2);
  // 8 s of talk, one second said by two at once, 1 + 2 s of silence: the call has lasted 10 s.
  near(3, 'customer_talk_share', 4 / 8);
  near(3, 'silence_share', 3 / 10);
  near(3, 'overlap_share', 1 / 10);
  near(3, 'interruption_share', 1 / 4);
  for (const last of [1, 2, 3]) {
    const weights = scores.slice(0, last + 1).map((_, t) => 0.8 ** (last - t));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const mean = (value: (t: number) => number): number => weights.reduce((sum, w, t) => sum + w * value(t), 0) / total;
    const [meanTurn, meanScore] = [mean((t) => t), mean((t) => scores[t])];
    const slope = mean((t) => (t - meanTurn) * (scores[t] - meanScore)) / mean((t) => (t - meanTurn) ** 2);
    near(last, 'trend', slope);
  }
});

test('wherever the forecaster dies the figures are the same, and other points do not change them', async () => {
  const records = rawOf([...generatedCalls({ seed: 6, calls: 25 })]);
  const alone = await run(records, ['figures']);
  const turns = (lines: readonly string[]) =>
    fieldsOf(lines, 'turn').map((fields) => [...fields].filter(([name]) => name !== 'text'));
  assert.ok(turns(alone.lines).length > 100);
  const all = await run(records, ['turns', 'figures', 'rollups', 'scores']);
  assert.deepEqual(turns(all.lines), turns(alone.lines));
  for (const seed of [1, 2]) assert.deepEqual((await run(records, ['figures'], seed)).lines, alone.lines, `${seed}`);
});
