import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkBuilder, PoisonRecordError, type RawRecord, splitLine } from '@tideline/pipeline';
import { callLoss, createCallStream } from '@tideline/streams';

const STREAM = createCallStream({ modelName: 'm' });
const TS = 1_700_000_000_000;

function raw(value: object, offset = 0): RawRecord {
  return {
    offset,
    key: Buffer.from('c1'),
    value: Buffer.from(JSON.stringify({ callId: 'c1', ts: TS + offset, ...value })),
    timestampMs: 0,
    headers: {},
  };
}

/** Actions and points of a call's events, with outputs of zeros. */
function play(events: readonly object[]) {
  const builder = new ChunkBuilder(STREAM.schema, events.length);
  events.forEach((event, offset) => {
    STREAM.decode(raw(event, offset), builder);
  });
  const chunk = builder.finish(events.length);
  const state = new Float64Array(STREAM.stateSize);
  const lines: string[] = [];
  const actions = events.map((_, row) => {
    const inputs = new Float32Array(STREAM.inputSize);
    const context = new Float64Array(STREAM.contextSize);
    const action = STREAM.advance(chunk, row, { state, stateAt: 0, inputs, inputAt: 0, context, contextAt: 0 });
    assert(inputs.every(Number.isFinite));
    if (action === 'step')
      STREAM.emit(
        { topic: 'calls', partition: 0 },
        chunk,
        row,
        { outputs: new Float32Array(4), outputAt: 0, context, contextAt: 0, inputs, inputAt: 0, state, stateAt: 0 },
        lines,
      );
    return action;
  });
  return { actions, lines };
}

const UTTERANCE = {
  type: 'utterance',
  speaker: 'customer',
  text: 'I am very angry about this awful bill',
  final: true,
};

test('only a final utterance steps the network, and the end releases the call', () => {
  const { actions } = play([
    { type: 'started', queue: 'billing' },
    { ...UTTERANCE, text: 'I am', final: false },
    UTTERANCE,
    { type: 'hold' },
    { type: 'ended' },
  ]);
  assert.deepEqual(actions, ['skip', 'skip', 'step', 'skip', 'end']);
});

test('queue and agent of the start are tags of every later utterance, in any alphabet', () => {
  const { lines } = play([{ type: 'started', queue: 'Störung, Süd', agentId: '代理7' }, UTTERANCE]);
  assert.match(
    splitLine(lines[0]).head,
    /^sentiment,agent=代理7,model=m,queue=Störung\\,\\ Süd,series=c1,speaker=customer,stream=calls$/,
  );
});

test('a call without a start has unknown queue and agent, and its lexicon score carries on', () => {
  const { lines } = play([UTTERANCE, { ...UTTERANCE, text: 'thank you, wonderful' }]);
  assert.match(lines[0], /agent=unknown,.*queue=unknown/);
  const score = (line: string): number => Number(/call_score=(-?[\d.]+)/.exec(line)?.[1]);
  assert(score(lines[0]) < -0.5 && score(lines[1]) > score(lines[0]));
});

test('texts of any language and of any length give finite features', () => {
  play(
    ['', '今日はとても悪い', 'ужасно!', '\u0000\u{1F600}', 'x'.repeat(100_000)].map((text) => ({ ...UTTERANCE, text })),
  );
});

test('events that are none are refused with field, value and cure', () => {
  const refused = (event: object, reason: RegExp): void =>
    assert.throws(
      () => STREAM.decode(raw(event), new ChunkBuilder(STREAM.schema, 1)),
      (error: unknown) => error instanceof PoisonRecordError && reason.test(error.message),
    );
  refused({ type: 'sung' }, /'type' is "sung", must be one of started, utterance/);
  refused({ type: 'utterance', speaker: 'agent' }, /'text' is undefined, an utterance needs a text/);
  refused({ ...UTTERANCE, final: 'yes' }, /'final' is "yes"/);
  refused({ ...UTTERANCE, startMs: '3' }, /'startMs' is "3", must be a finite number/);
  refused({ ...UTTERANCE, callId: 'c2' }, /key is 'c1' but its 'callId' is 'c2'/);
});

test('the gradient of the call loss is that of finite differences', () => {
  const outputs = [0.3, -0.2, 0.5, 0.4];
  const label = { sentiment: 1, escalates: true };
  const gradient = new Float64Array(4);
  callLoss(outputs, label, gradient);
  outputs.forEach((_, i) => {
    const at = (change: number): number =>
      callLoss(
        outputs.map((value, j) => value + (i === j ? change : 0)),
        label,
        new Float64Array(4),
      );
    assert(Math.abs((at(1e-6) - at(-1e-6)) / 2e-6 - gradient[i]) < 1e-7, `output ${i}`);
  });
});
