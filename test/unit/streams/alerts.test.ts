/** Alerts are exact: whatever the batches and wherever the forecaster dies, the same records give the same alerts, once. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSimdEngine, loadModel } from '@tideline/nn';
import { ConfigError, type RawRecord } from '@tideline/pipeline';
import {
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

const rulesOf = (...rules: readonly string[]) =>
  parseCallRules(`rules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`, 'r');

function run(records: readonly RawRecord[], rules: ReturnType<typeof parseCallRules>, seed = 0) {
  const random = mulberry32(seed);
  return runRecords(records, {
    stream: createCallStream({ modelName: 'm', rules }),
    newEngine: () => createSimdEngine(model, { slotsMax: 400 }),
    draw: (below) => (seed === 0 ? below >> 1 : Math.floor(random() * below)),
    writesACrash: seed === 0 ? 0 : 6,
  });
}

function turns(...events: readonly (readonly [seconds: number, text: string, more?: object])[]): RawRecord[] {
  return events.map(([seconds, text, more], offset) => {
    const event = { type: 'utterance', speaker: 'customer', ...more, callId: 'c1', ts: TS + seconds * 1_000, text };
    return { offset, key: Buffer.from('c1'), value: Buffer.from(JSON.stringify(event)), timestampMs: 0, headers: {} };
  });
}

async function alertsOf(records: readonly RawRecord[], ...rules: readonly string[]) {
  const { lines } = await run(records, rulesOf(...rules));
  return lines.flatMap((line) => parseAlert(line) ?? []);
}

test('a score below a bound for n turns alerts at the n-th, and again only after it was broken', async () => {
  const bad = 'This is terrible, awful, horrible.';
  const good = 'Wonderful, thank you, I am happy.';
  const texts = [bad, bad, bad, bad, good, bad, bad];
  const found = await alertsOf(
    turns(...texts.map((text, i): [number, string] => [i, text])),
    'name: sad\n    when: { score_below: -0.3, turns: 2 }',
  );
  assert.deepEqual(
    found.map(({ offset }) => offset),
    [1, 6],
  );
  assert.equal(found[0].reason, 'The score was below -0.3 for 2 turns.');
  assert.ok(found[0].value !== null && found[0].value < -0.3);
});

test('words alert once in a call, of the speaker that the rule names, as whole words', async () => {
  const found = await alertsOf(
    turns(
      [0, 'My lawyers name?'],
      [1, 'Ask your lawyer.', { speaker: 'agent' }],
      [2, 'My LAWYER will call.'],
      [3, 'My lawyer!'],
    ),
    'name: legal\n    severity: critical\n    when: { words: [lawyer, small claims], speaker: customer }',
  );
  assert.deepEqual(
    found.map(({ offset, id, severity, reason }) => [offset, id, severity, reason]),
    [[2, 'calls-legal-db42bc01e415a7d602e99d40', 'critical', "Somebody said 'lawyer'."]],
  );
});

test('silence alerts each time it is long, and not while the line is held', async () => {
  const found = await alertsOf(
    turns([0, 'Hello.'], [90, 'Still there?'], [100, '', { type: 'hold' }], [300, 'Here I am.'], [380, 'Hm.']),
    'name: dead-air\n    when: { silence_seconds: 60 }',
  );
  assert.deepEqual(
    found.map(({ offset, value }) => [offset, value]),
    [
      [1, 90],
      [4, 80],
    ],
  );
});

test('alerts of many calls are the same in any batches and after any crash', async () => {
  const rules = readCallRules(join(ROOT, 'docs', 'rules.yaml'));
  const records = [...generatedCalls({ seed: 5, calls: 60 })].map(
    ({ key, value }, offset): RawRecord => ({
      ...{ offset, key: Buffer.from(key), value: Buffer.from(value), timestampMs: 0, headers: {} },
    }),
  );
  const calm = await run(records, rules);
  const expected = [...calm.lines].sort();
  const alerts = expected.flatMap((line) => parseAlert(line) ?? []);
  assert.ok(new Set(alerts.map(({ rule }) => rule)).size >= 2 && alerts.length > 10, `${alerts.length} alerts`);
  assert.equal(new Set(alerts.map(({ id }) => id)).size, alerts.length);
  let crashes = 0;
  for (const seed of [1, 2, 3]) {
    const again = await run(records, rules, seed);
    crashes += again.crashes;
    assert.deepEqual([...again.lines].sort(), expected);
  }
  assert.ok(crashes > 3);
});

test('rules that are none are refused with their place', () => {
  const refused = (text: string, reason: RegExp): void =>
    assert.throws(
      () => parseCallRules(text, 'r.yaml'),
      (error: unknown) => error instanceof ConfigError && error.problems.some((problem) => reason.test(problem)),
    );
  refused('rules: [', /'r\.yaml' are no YAML/);
  refused('rules: [{ name: a, when: { score_below: 3, turns: 1 } }]', /rules\.0\.when/);
  refused('rules: [{ name: A b, when: { silence_seconds: 3 } }]', /rules\.0\.name: must be lower-case/);
  refused('rules: [{ name: a, when: { category: x } }]', /category 'x', which the file does not have/);
  const twice = '{ name: a, when: { silence_seconds: 3 } }';
  refused(`rules: [${twice}, ${twice}]`, /two of rule 'a'/);
});
