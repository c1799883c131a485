import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool, encodeStates, packedBytesOf, type StateLayout } from '@tideline/pipeline';

const MIB = 1024 * 1024;

test('memory that was given back is taken again, the smallest that is large enough', () => {
  const pool = new BufferPool();
  const [small, large] = [pool.take(MIB), pool.take(4 * MIB)];
  pool.give(large);
  pool.give(small);
  assert.equal(pool.take(MIB), small);
  assert.equal(pool.take(MIB), large);
  assert.ok(![small, large].includes(pool.take(MIB)), 'What is in use is nobody else’s.');
});

test('a pool keeps no more than 64 MiB', () => {
  const pool = new BufferPool();
  const taken = Array.from({ length: 8 }, () => pool.take(12 * MIB));
  for (const buffer of taken) pool.give(buffer);
  const kept = Array.from({ length: 8 }, () => pool.take(12 * MIB)).filter((buffer) => taken.includes(buffer));
  assert.equal(kept.length, 4);
});

test('states are the same bytes whatever their memory held before', () => {
  for (const isTraced of [false, true])
    for (const output of [null, { size: 3, meaning: 7 }]) {
      const layout: StateLayout = { streamSize: 2, hiddenSize: 5, modelDigest: '0123456789abcdef', isTraced, output };
      const columns = {
        quarantined: Uint8Array.of(0, 1, 0),
        times: Float64Array.from({ length: 12 }, (_, i) => i / 3),
        traces: Uint32Array.from({ length: 12 }, (_, i) => i + 1),
        stream: Float64Array.from({ length: 6 }, (_, i) => -i),
        outputs: Float64Array.from({ length: 9 }, (_, i) => i * i),
      };
      const slots = Uint32Array.of(2, 0);
      const hidden = Float32Array.from({ length: 10 }, (_, i) => i / 7);
      const used = new ArrayBuffer(packedBytesOf(layout, 2) + 4_096);
      new Uint8Array(used).fill(0xa5);
      const [fresh, again] = [undefined, used].map((all) => encodeStates(layout, columns, slots, hidden, all));
      assert.deepEqual(again.map(Buffer.from), fresh.map(Buffer.from), `traced ${isTraced}, output ${output !== null}`);
    }
});
