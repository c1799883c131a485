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
  readonly startMs?: number;
  readonly turnId?: string | number;
  readonly speaker?: string;
}

const said = (at: number, text: string, final = true): CallEvent => ({ type: 'utterance', at, text, final });

function recordsOf(events: readonly CallEvent[]): RawRecord[] {
  return events.map(({ at, ...event }, offset) => ({
    offset,
    key: Buffer.from('c1'),
    value: Buffer.from(JSON.stringify({ callId: 'c1', ts: TS + at, speaker: 'customer', ...event })),
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

test('an utterance that is sent again is stepped once, and the policy says what becomes of the repetition', async () => {
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
  assert.deepEqual(applied.lines, once.lines);
  assert.equal(applied.letters.length, 0);
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

test('a final that corrects another one of its turn does not advance the call again, by start or by turn id', async () => {
  for (const own of [{ startMs: 1_200 }, { turnId: 't-1' }, { turnId: 7 }]) {
    const heard = recordsOf([
      { ...said(10, 'I want my bull.'), ...own },
      { ...said(20, 'Of course.'), startMs: 3_000, speaker: 'agent' },
      { ...said(30, 'I want my bill.'), ...own },
      { ...said(31, 'I want', false), ...own },
      { ...said(40, 'And my router.'), startMs: 9_000 },
    ]);
    const [all, fresh] = await Promise.all([
      play(heard),
      play(heard.filter(({ offset }) => offset !== 2 && offset !== 3)),
    ]);
    assert.deepEqual(all.lines, fresh.lines);
    assert.equal(all.lines.length, 3);
  }
});

test('agent and customer may begin at the same moment: both turns count', async () => {
  const { lines } = await play(
    recordsOf([
      { ...said(10, 'Hello.'), startMs: 500 },
      { ...said(12, 'Good morning.'), startMs: 500, speaker: 'agent' },
    ]),
  );
  assert.equal(lines.length, 2);
});

test('a turn from before all that a long call remembers is taken for one that was stepped', async () => {
  const turns = Array.from({ length: 40 }, (_, i) => ({ ...said(10 + i, `Turn ${i}.`), startMs: i * 1_000 }));
  const again = [{ ...said(60, 'Turn 3, once more.'), startMs: 3_000 }];
  const [all, once] = await Promise.all([play(recordsOf([...turns, ...again])), play(recordsOf(turns))]);
  assert.deepEqual(all.lines, once.lines);
});

test('an end releases the call however late its time says it is', async () => {
  for (const late of ['apply', 'drop', 'dead-letter'] as const) {
    const { states, letters } = await play(recordsOf([...OPEN, { type: 'ended', at: 5 }]), late);
    assert.deepEqual([...states.keys()], [SHARD_CLOCK_KEY]);
    assert.equal(letters.length, 0);
  }
});
