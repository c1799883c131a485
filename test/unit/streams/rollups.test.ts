/** Roll-ups are exact: what turns add to agent, queue and supervisor is the same after any fault, and sums to what was said. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSimdEngine, loadModel } from '@tideline/nn';
import { lineFields, lineTags, type RawRecord, splitLine } from '@tideline/pipeline';
import {
  CALL_POINTS,
  createCallStream,
  generatedCalls,
  mulberry32,
  parseAlert,
  parseCallRules,
  readCallRules,
} from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';
import { runRecords } from '../pipeline/order-run.ts';

const TS = 1_700_000_000_000;
const { model } = await loadModel(join(ROOT, 'models', 'calls-gru', 'model.tdl'));

function run(records: readonly RawRecord[], rules = parseCallRules('', 'r'), seed = 0) {
  const random = mulberry32(seed);
  return runRecords(records, {
    stream: createCallStream({ modelName: 'm', rules, points: CALL_POINTS }),
    newEngine: () => createSimdEngine(model, { slotsMax: 400 }),
    draw: (below) => (seed === 0 ? below >> 1 : Math.floor(random() * below)),
    writesACrash: seed === 0 ? 0 : 6,
  });
}

function events(...list: readonly object[]): RawRecord[] {
  return list.map((event, offset) => {
    const value = Buffer.from(JSON.stringify({ type: 'utterance', callId: 'c1', ts: TS + 1_000 * offset, ...event }));
    return { offset, key: Buffer.from('c1'), value, timestampMs: 0, headers: {} };
  });
}

function rollupsOf(lines: readonly string[]) {
  return lines
    .filter((line) => line.startsWith('call_rollup,'))
    .map((line) => {
      const { head, fields } = splitLine(line);
      const numbers = [...lineFields(fields)].map(([name, text]) => [name, Number(text.replace(/i$/, ''))] as const);
      return { tags: lineTags(head), values: Object.fromEntries(numbers) };
    });
}

const sumOf = (rollups: ReturnType<typeof rollupsOf>, name: string): number =>
  rollups.reduce((sum, { values }) => sum + values[name], 0);

test("a turn adds talk, silence and interruptions by the call's clock, and none where the line was held or the turn is late", async () => {
  const { lines } = await run(
    events(
      { type: 'started', queue: 'billing', agentId: 'a 1' },
      { speaker: 'agent', text: 'Good morning.', startMs: 0, endMs: 1_000 },
      { speaker: 'customer', text: 'Terrible, awful service.', startMs: 1_500, endMs: 4_000 },
      { speaker: 'agent', text: 'I am', startMs: 3_400, endMs: 5_000 },
      { speaker: 'agent', text: 'sorry.', startMs: 4_800, endMs: 6_000 },
      { type: 'hold' },
      { speaker: 'agent', text: 'Here I am.', startMs: 66_000, endMs: 67_000 },
      { speaker: 'customer', text: 'A late one.', startMs: 2_000, endMs: 2_500 },
      { type: 'transfer', agentId: 'a 2', queue: 'claims' },
      { speaker: 'agent', text: 'Hello.', startMs: 68_000, endMs: 68_500 },
      { speaker: 'customer', text: 'No clock at all.' },
    ),
    parseCallRules('supervisors:\n  - { name: North, agents: [a 1] }', 'r'),
  );
  const rolled = rollupsOf(lines);
  const column = (name: string): number[] => rolled.map(({ values }) => values[name]);
  assert.deepEqual(column('turns'), [1, 1, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual(column('calls'), [1, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(column('talk_ms'), [1_000, 2_500, 1_600, 1_200, 1_000, 500, 500, 0]);
  assert.deepEqual(column('silence_ms'), [0, 500, 0, 0, 0, 0, 1_000, 0]);
  assert.deepEqual(column('interruptions'), [0, 0, 1, 0, 0, 0, 0, 0]);
  assert.deepEqual(column('overlap_ms'), [0, 0, 600, 0, 0, 0, 0, 0]);
  assert.deepEqual(column('customer_turns'), [0, 1, 0, 0, 0, 1, 0, 1]);
  assert.equal(column('negative')[1], 1);
  const tags = rolled.map((point) => ['agent', 'queue', 'supervisor', 'shard'].map((name) => point.tags.get(name)));
  assert.deepEqual(tags[0], ['a 1', 'billing', 'North', tags[0][3]]);
  assert.deepEqual(tags[7], ['a 2', 'claims', 'unknown', tags[0][3]]);
  assert.equal(rolled[0].tags.has('series'), false, 'a call is no series of its own');
  const said = lines.filter((line) => line.startsWith('turn,'));
  assert.equal(said.length, 8);
  assert.match(said[1], /^turn,series=c1,stream=calls .*speaker="customer",text="Terrible, awful service\." \d+$/);
});

test('wherever the forecaster dies, roll-ups and turns are the same, and sum to the turns, calls and alerts that there were', async () => {
  const rules = readCallRules(join(ROOT, 'docs', 'rules.yaml'));
  const records = [...generatedCalls({ seed: 5, calls: 40 })].map(({ key, value }, offset) => ({
    ...{ offset, key: Buffer.from(key), value: Buffer.from(value), timestampMs: 0, headers: {} },
  }));
  const straight = await run(records, rules);
  const rolled = rollupsOf(straight.lines);
  const finals = records.filter(({ value }) => String(value).includes('"final":true')).length;
  assert.equal(sumOf(rolled, 'turns'), finals);
  assert.equal(sumOf(rolled, 'calls'), 40);
  assert.equal(sumOf(rolled, 'alerts'), straight.lines.filter((line) => parseAlert(line) !== null).length);
  assert.ok(sumOf(rolled, 'alerts') > 5 && sumOf(rolled, 'talk_ms') > 100_000);
  assert.deepEqual([...new Set(rolled.map(({ tags }) => tags.get('supervisor')))].sort(), ['north', 'south']);
  for (const seed of [1, 2, 3])
    assert.deepEqual((await run(records, rules, seed)).lines, straight.lines, `seed ${seed}`);
});
