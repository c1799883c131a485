/** A stream's output state: committed with the series' other state, of one series only, and no loss where its meaning changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeState, encodeState, type RawRecord, type Stream } from '@tideline/pipeline';
import { mulberry32 } from '@tideline/streams';
import { createChainEngine } from '../../simulation/chain-engine.ts';
import { createChainStream } from '../../simulation/chain-stream.ts';
import { runRecords } from './order-run.ts';

const LAYOUT = { streamSize: 2, hiddenSize: 3, modelDigest: 'ab'.repeat(32), isTraced: true };
const STATE = {
  quarantined: false,
  times: Float64Array.of(1, 2, 3, 4),
  trace: Uint32Array.of(1, 2, 3, 4),
  stream: Float64Array.of(5, 6),
  output: Float64Array.of(7, 8),
  hidden: Float32Array.of(9, 10, 11),
};

test('a state gives its output state back, and one of another size or meaning reads as zeros and loses nothing else', () => {
  const output = { size: 2, meaning: 0xfedcba98 };
  const bytes = encodeState({ ...LAYOUT, output }, STATE);
  assert.deepEqual(decodeState({ ...LAYOUT, output }, bytes), STATE);
  for (const other of [
    { size: 2, meaning: 1 },
    { size: 5, meaning: output.meaning },
  ])
    assert.deepEqual(decodeState({ ...LAYOUT, output: other }, bytes), {
      ...STATE,
      output: new Float64Array(other.size),
    });
  assert.deepEqual(decodeState({ ...LAYOUT, output: null }, bytes), { ...STATE, output: new Float64Array(0) });
  assert.equal(decodeState({ ...LAYOUT, output, hiddenSize: 4 }, bytes), null);
});

test('states that were written before a stream had an output state are read, with zeros for it', () => {
  const output = { size: 2, meaning: 3 };
  for (const isTraced of [true, false]) {
    const bytes = encodeState({ ...LAYOUT, isTraced, output: null }, { ...STATE, output: new Float64Array(0) });
    const trace = isTraced ? STATE.trace : new Uint32Array(4);
    assert.deepEqual(decodeState({ ...LAYOUT, output }, bytes), { ...STATE, trace, output: new Float64Array(2) });
  }
});

/** Each point tells how many its series has had since it began. */
function countingStream(): Stream {
  return {
    ...createChainStream(),
    outputState: { size: 1, meaning: 1 },
    emit(shard, chunk, row, { state, stateAt }, lines) {
      state[stateAt] += 1;
      const key = chunk.keys[chunk.keyOf[row]];
      lines.push(`count,series=${key} n=${state[stateAt]},partition=${shard.partition}i ${chunk.offsets[row]}`);
    },
  };
}

test('a series that ends and begins anew has an output state of its own, whatever the batches and the crashes', async () => {
  const random = mulberry32(7);
  const expected: string[] = [];
  const counts = new Map<string, number>();
  const records: RawRecord[] = Array.from({ length: 400 }, (_, offset) => {
    const key = `s${Math.floor(3 * random())}`;
    const kind = random() < 0.1 ? 'end' : 'step';
    if (kind === 'end') counts.delete(key);
    else {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      expected.push(`count,series=${key} n=${counts.get(key)},partition=0i ${offset}`);
    }
    const value = Buffer.from(JSON.stringify({ key, kind, value: offset, ts: 1_700_000_000_000 + offset }));
    return { offset, key: null, value, timestampMs: 0, headers: {} };
  });
  let crashes = 0;
  for (const seed of [1, 2, 3]) {
    const draw = mulberry32(seed);
    const run = await runRecords(records, {
      stream: countingStream(),
      newEngine: () => createChainEngine({ slotsMax: 500 }),
      draw: (below) => Math.floor(draw() * below),
      writesACrash: 10,
    });
    assert.deepEqual([...new Set(run.lines)].sort(), [...expected].sort());
    crashes += run.crashes;
  }
  assert(crashes > 0);
});
