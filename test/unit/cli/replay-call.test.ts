import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readRecordFile } from '@tideline/adapters';

const PROGRAM = fileURLToPath(new URL('../../../../bin/tideline.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tideline-replay-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const START_MS = 1_700_000_000_000;
const WORDS = [
  ['agent', 'Hello, this is Rahul, how can I help you?'],
  ['customer', 'My bill is wrong again, this is terrible.'],
  ['agent', 'I am sorry, let me look at it.'],
  ['customer', 'I have called three times, I am angry and want to cancel.'],
  ['customer', 'Great, thank you very much.'],
] as const;

function callOf(callId: string): object[] {
  const turns = WORDS.map(([speaker, text], i) => ({
    ...{ callId, type: 'utterance', ts: START_MS + 5_000 * (i + 1), speaker, text },
  }));
  const partial = { ...turns[1], text: 'My bill', final: false };
  const started = { callId, type: 'started', ts: START_MS, queue: 'billing', agentId: 'a7' };
  return [started, turns[0], partial, ...turns.slice(1), { callId, type: 'ended', ts: START_MS + 60_000 }];
}

function fileOf(events: readonly object[], name = 'call.jsonl'): string {
  const path = join(folder, name);
  writeFileSync(path, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  return path;
}

function replay(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'replay', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const json = (...args: string[]) => JSON.parse(replay(...args, '--json').stdout);

test('a recorded call is shown turn by turn, with redacted words, alerts and its summary', () => {
  const path = fileOf(callOf('c1'));
  const { call, turns, summary } = json(path);
  assert.equal(call, 'c1');
  assert.deepEqual(
    turns.map((turn: { turn: number; speaker: string }) => `${turn.turn} ${turn.speaker}`),
    WORDS.map(([speaker], i) => `${i + 1} ${speaker}`),
  );
  assert.match(turns[0].text, /this is \[NAME\]/);
  assert.ok(turns[1].figures.score < 0 && turns[1].figures.escalation > 0.5);
  assert.deepEqual(turns[3].alerts, ['wants-to-leave']);
  assert.equal(summary.turns, WORDS.length);
  const { stdout } = replay(path);
  assert.match(stdout, /^turn +speaker +score +escalation +text\n1 +agent/);
  assert.match(stdout, /\[alert: wants-to-leave\]/);
  assert.match(stdout, /Summary: (negative|neutral|positive)/);
});

test('what if: turns before the change stay to the bit, turns after it are those of the other call', () => {
  const path = fileOf(callOf('c1'));
  const { turns, whatIf } = json(path, '--replace', '4=Could you send me the invoice?', '--without-turn', '5');
  assert.deepEqual(whatIf.turns.slice(0, 3), turns.slice(0, 3));
  assert.deepEqual(
    whatIf.turns.map((turn: { turn: number }) => turn.turn),
    [1, 2, 3, 4],
  );
  assert.deepEqual(whatIf.turns[3].alerts, []);
  assert.ok(whatIf.turns[3].figures.score > turns[3].figures.score);
  assert.equal(whatIf.summary.turns, 4);
  const shorter = json(path, '--until', '3');
  assert.deepEqual(shorter.whatIf.turns, turns.slice(0, 3));
  assert.equal(shorter.whatIf.summary.turns, 3);
  assert.match(replay(path, '--until', '3').stdout, /what if +change/);
});

test('a file or a wish that cannot be served is told with the place and the cure', () => {
  const path = fileOf(callOf('c1'));
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[path, '--until', '9'], /Turn 9 is not in the call, which has the turns 1 to 5/],
    [[path, '--replace', 'words'], /must be TURN=TEXT/],
    [[path, '--call', 'c9'], /'c9' is not in the file; 'c1' is/],
    [[fileOf([...callOf('c1'), ...callOf('c2')], 'two.jsonl')], /has 2 calls: choose one with --call/],
    [
      [fileOf([{ callId: 'c1', type: 'utterance', ts: START_MS, speaker: 'agent' }], 'bad.jsonl')],
      /Record 1 of the call, 'text'/,
    ],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = replay(...args);
    assert.notEqual(status, 0);
    assert.match(stderr, message);
  }
});

test('the turns are written as a table in the format of the file, those of what if behind them', async () => {
  const path = fileOf(callOf('c1'));
  const out = join(folder, 'turns.parquet');
  const { turns, whatIf } = json(path, '--until', '3', '--out', out);
  const rows: Record<string, unknown>[] = [];
  for await (const { value } of readRecordFile({ path: out, topic: 't', keyField: 'call', map: {} }))
    rows.push(JSON.parse(value));
  assert.deepEqual(
    rows.map(({ variant, turn, score, text }) => [variant, turn, score, text]),
    [
      ...turns.map((row: Turn) => ['recorded', row.turn, row.figures.score, row.text]),
      ...whatIf.turns.map((row: Turn) => ['what if', row.turn, row.figures.score, row.text]),
    ],
  );
  assert.deepEqual([rows[1].time, rows[3].alerts], ['2023-11-14T22:13:30.000Z', 'wants-to-leave']);
  const { status, stderr } = replay(path, '--out', join(folder, 'turns.xlsx'));
  assert.notEqual(status, 0);
  assert.match(stderr, /must be a file that ends in \.csv, \.parquet/);
});

interface Turn {
  readonly turn: number;
  readonly text: string;
  readonly figures: { readonly score: number };
}
