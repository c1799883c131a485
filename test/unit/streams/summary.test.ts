/** A call that is over is told once, by a network that reads all of it, and the same after any fault. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSimdEngine, loadModel } from '@tideline/nn';
import { ConfigError, lineFields, lineTags, type RawRecord, splitLine } from '@tideline/pipeline';
import {
  createCallEndReader,
  createCallStream,
  generatedCalls,
  mulberry32,
  parseCallRules,
  SUMMARY_INPUTS,
} from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';
import { runRecords } from '../pipeline/order-run.ts';

const TS = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const { model } = await loadModel(join(ROOT, 'models', 'calls-gru', 'model.tdl'));
const { model: summaryModel } = await loadModel(join(ROOT, 'models', 'calls-summary', 'model.tdl'));
const RULES = parseCallRules(
  'categories:\n  - { name: leaving, words: [cancel*] }\n  - { name: billing, words: [bill, invoice] }\n',
  'r',
);

function run(records: readonly RawRecord[], seed = 0) {
  const random = mulberry32(seed);
  return runRecords(records, {
    stream: createCallStream({ modelName: 'm', model, rules: RULES, points: ['summary'], summaryModel }),
    newEngine: () => createSimdEngine(model, { slotsMax: 400 }),
    draw: (below) => (seed === 0 ? below >> 1 : Math.floor(random() * below)),
    writesACrash: seed === 0 ? 0 : 6,
    seriesMax: seed === 0 ? 100 : 3,
  });
}

function events(...list: readonly object[]): RawRecord[] {
  return list.map((event, offset) => {
    const own = { type: 'utterance', speaker: 'customer', callId: 'c1', ts: TS + 1_000 * offset, ...event };
    const key = Buffer.from(own.callId);
    return { offset, key, value: Buffer.from(JSON.stringify(own)), timestampMs: 0, headers: {} };
  });
}

function summariesOf(lines: readonly string[]) {
  return lines
    .filter((line) => line.startsWith('call_summary,'))
    .map((line) => {
      const { head, fields, time } = splitLine(line);
      const values = [...lineFields(fields)].map(([name, text]): [string, string | number] => [
        name,
        text.startsWith('"') ? text.slice(1, -1) : Number(text.replace(/i$/, '')),
      ]);
      const found: Record<string, string | number> = { time, ...Object.fromEntries(values) };
      return { found, tags: lineTags(head) };
    });
}

test('a call that has ended is told with its class, rating, categories and lines, and nobody is named in them', async () => {
  const { lines } = await run(
    events(
      { type: 'started', queue: 'billing', agentId: 'a1' },
      { speaker: 'agent', text: 'Good morning, how can I help you?' },
      { text: 'Hello, my name is John Smith and I am calling about my bill.' },
      { speaker: 'agent', text: 'Let me look at your bill.' },
      { text: 'This is terrible, I am really angry, I want to cancel it. My card is 4111 1111 1111 1111.' },
      { type: 'transfer', queue: 'retention' },
      { text: 'No, that is unacceptable, what an awful, horrible mess.' },
      { type: 'ended' },
    ),
  );
  const [{ found: summary, tags }, ...more] = summariesOf(lines);
  assert.equal(more.length, 0);
  assert.deepEqual(Object.fromEntries(tags), {
    ...{ agent: 'a1', model: 'calls-summary', queue: 'retention', series: 'c1', stream: 'calls' },
  });
  assert.equal(summary.class, 'negative');
  assert.equal(summary.categories, 'leaving,billing');
  assert.equal(summary.ended_by, 'ended');
  assert.deepEqual([summary.turns, summary.turns_read, summary.duration_ms], [5, 5, 6_000]);
  assert.ok(Number(summary.satisfaction) < 3 && Number(summary.dissatisfied) > 0.5, `${summary.satisfaction}`);
  assert.equal(summary.line_1, '2 customer: Hello, my name is [NAME] and I am calling about my bill.');
  assert.match(String(summary.line_4), /^5 customer: No, that is unacceptable/);
  assert.doesNotMatch(lines.join('\n'), /Smith|4111/);
});

test("a decisive turn's effect is what the score loses when the turn is left out, the greatest first", async () => {
  const { lines } = await run([
    ...events(
      { text: 'Wonderful, thank you!' },
      { text: 'Terrible, awful, horrible.' },
      { text: 'It is blue.' },
      { type: 'ended' },
    ),
  ]);
  const [{ found: summary }] = summariesOf(lines);
  const effects = [1, 2, 3].map((i) => Number(summary[`effect_${i}`]));
  assert.deepEqual([1, 2, 3].map((i) => summary[`decisive_${i}`]).sort(), [1, 2, 3]);
  assert.ok(Math.abs(effects[0]) >= Math.abs(effects[1]) && Math.abs(effects[1]) >= Math.abs(effects[2]), `${effects}`);
  const read = createCallEndReader(summaryModel);
  const inputs = Float32Array.from({ length: 4 * SUMMARY_INPUTS }, (_, i) => ((i * 37) % 19) / 19);
  const whole = read(inputs);
  const without = read(Float32Array.from([...inputs].filter((_, i) => Math.floor(i / SUMMARY_INPUTS) !== 2)));
  assert.equal(whole.effects[2], whole.score - without.score);
});

test('what comes later counts for what came before: the same turns in another order give another score', async () => {
  const turns = [{ text: 'Terrible, awful, horrible.' }, { text: 'It is blue.' }, { text: 'Wonderful, thank you!' }];
  const scoreOf = async (list: readonly object[]) =>
    Number(summariesOf((await run(events(...list, { type: 'ended' }))).lines)[0].found.score);
  assert.ok((await scoreOf(turns)) > (await scoreOf([...turns].reverse())) + 0.1);
});

test('a call longer than the bound is read by its newest turns, and both numbers are told', async () => {
  const turns = Array.from({ length: 120 }, (_, i) => ({ text: `It is number ${i}.`, turnId: `t${i}` }));
  const { lines } = await run(events(...turns, { type: 'ended' }));
  const [{ found: summary }] = summariesOf(lines);
  assert.deepEqual([summary.turns, summary.turns_read], [120, 96]);
  assert.ok(Number(summary.decisive_1) > 24);
  assert.match(String(summary.line_1), /^1 customer: It is number/);
});

test('a call that nobody hears of any more, or that begins anew, is told with its last turn; one without a turn is not told', async () => {
  const { lines } = await run(
    events(
      { callId: 'quiet', text: 'Hello there.' },
      { callId: 'again', text: 'Hello here.' },
      { callId: 'again', type: 'started' },
      { callId: 'mute', type: 'started' },
      { callId: 'mute', type: 'ended' },
      { callId: 'quiet', ts: TS + 90 * MINUTE_MS, text: 'Me again.' },
      { callId: 'quiet', ts: TS + 91 * MINUTE_MS, type: 'ended' },
    ),
  );
  assert.deepEqual(
    summariesOf(lines).map(({ tags, found }) => [tags.get('series'), found.ended_by, found.line_1, found.time]),
    [
      ['again', 'restarted', '1 customer: Hello here.', `${TS + 1_000}000001`],
      ['quiet', 'silent', '1 customer: Hello there.', `${TS}000000`],
      ['quiet', 'ended', '1 customer: Me again.', `${TS + 91 * MINUTE_MS}000006`],
    ],
  );
});

test('summaries of many calls are the same in any batches, with few states in memory, and after any crash', async () => {
  const records = [...generatedCalls({ seed: 5, calls: 60 })].map(
    ({ key, value }, offset): RawRecord => ({
      ...{ offset, key: Buffer.from(key), value: Buffer.from(value), timestampMs: 0, headers: {} },
    }),
  );
  const expected = [...(await run(records)).lines].sort();
  assert.equal(summariesOf(expected).length, 60);
  let crashes = 0;
  for (const seed of [1, 2, 3]) {
    const again = await run(records, seed);
    crashes += again.crashes;
    assert.deepEqual([...again.lines].sort(), expected);
  }
  assert.ok(crashes > 3);
});

test('a model that does not read ends of calls is refused with the cure', () => {
  assert.throws(
    () => createCallStream({ modelName: 'm', model, points: ['summary'], summaryModel: model }),
    (error: unknown) => error instanceof ConfigError && /tideline train calls-summary/.test(error.problems[0]),
  );
});
