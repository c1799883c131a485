/** Where a call begins and ends, and what is late or sent twice, through the real pipeline and the model that ships. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSimdEngine, loadModel } from '@tideline/nn';
import { type LatePolicy, type RawRecord, SHARD_CLOCK_KEY } from '@tideline/pipeline';
import { createCallStream } from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';
import { runRecords } from '../pipeline/order-run.ts';

const TS = 1_700_000_000_000;
const { model } = await loadModel(join(ROOT, 'models', 'calls-gru', 'model.tdl'));

interface CallEvent {
  readonly type: string;
  readonly at: number;
  readonly text?: string;
  readonly final?: boolean;
}

const said = (at: number, text: string, final = true): CallEvent => ({ type: 'utterance', at, text, final });

function recordsOf(events: readonly CallEvent[]): RawRecord[] {
  return events.map(({ type, at, text, final }, offset) => ({
    offset,
    key: Buffer.from('c1'),
    value: Buffer.from(JSON.stringify({ callId: 'c1', ts: TS + at, type, speaker: 'customer', text, final })),
    timestampMs: 0,
    headers: {},
  }));
}

function play(records: readonly RawRecord[], late: LatePolicy = 'apply') {
  return runRecords(records, {
    stream: createCallStream({ modelName: 'm', late }),
    newEngine: () => createSimdEngine(model, { slotsMax: 20 }),
    draw: (below) => below >> 1,
    writesACrash: 0,
  });
}

const OPEN = [{ type: 'started', at: 0 }, said(10, 'This is terrible.'), said(20, 'I am very angry.')];

test('a call that begins while one of its id is open starts anew, network and running score', async () => {
  const records = recordsOf([...OPEN, { type: 'started', at: 30 }, said(40, 'Thank you, that is great.')]);
  const [both, second] = await Promise.all([play(records), play(records.slice(3))]);
  assert.equal(both.lines.length, 3);
  assert.deepEqual(both.lines.slice(2), second.lines);
  assert.deepEqual(both.states, second.states);
});

test('the beginning of a call that is delivered again later does not begin it anew', async () => {
  const records = recordsOf([...OPEN, { type: 'started', at: 0 }, said(40, 'Thank you, that is great.')]);
  const [all, without] = await Promise.all([play(records), play(records.filter(({ offset }) => offset !== 3))]);
  assert.deepEqual(all.lines, without.lines);
});

test('an utterance that is sent again is stepped once where the policy refuses it, and counted where it does not', async () => {
  const records = recordsOf([
    ...OPEN,
    said(20, 'I am very angry.'),
    said(10, 'This is terrible.'),
    said(20, 'Not that.'),
  ]);
  const fresh = records.filter(({ offset }) => offset !== 3 && offset !== 4);
  const [dropped, lettered, applied, once] = await Promise.all([
    play(records, 'drop'),
    play(records, 'dead-letter'),
    play(records),
    play(fresh),
  ]);
  assert.deepEqual(dropped.lines, once.lines);
  assert.deepEqual(dropped.states, once.states);
  assert.deepEqual(lettered.states, once.states);
  assert.match(lettered.letters[0].reason, /^Repeated: /);
  assert.match(lettered.letters[1].reason, /^Late: /);
  assert.equal(applied.lines.length, 5);
  for (const { events } of [dropped, lettered, applied]) {
    const counted = events.flatMap((event) => (event.type === 'late' ? [[event.late, event.repeated]] : []));
    assert.deepEqual(counted, [[1, 1]]);
  }
});

test('a corrected partial advances the call once, whenever it comes', async () => {
  const text = 'I am very angry.';
  const records = recordsOf([
    said(10, 'I am', false),
    said(12, 'I am very', false),
    said(11, text),
    said(12, text, false),
  ]);
  const { lines, events } = await play(records, 'drop');
  assert.equal(lines.length, 1);
  assert.ok(!events.some(({ type }) => type === 'late'), 'a partial is nobody else’s past');
});

test('an end releases the call however late its time says it is', async () => {
  for (const late of ['apply', 'drop', 'dead-letter'] as const) {
    const { states, letters } = await play(recordsOf([...OPEN, { type: 'ended', at: 5 }]), late);
    assert.deepEqual([...states.keys()], [SHARD_CLOCK_KEY]);
    assert.equal(letters.length, 0);
  }
});
