/** A StepEngine whose state is a hash of its inputs and a count of its steps. What a real engine would blur, this one shows in whole numbers. */
import assert from 'node:assert/strict';
import type { StepEngine } from '@tideline/pipeline';
import { link } from './chain-hash.ts';

export const CHAIN_MODEL_DIGEST = 'c4a1'.repeat(16);
const STATE_SIZE = 2;

export function createChainEngine(options: { readonly slotsMax: number }): StepEngine {
  const states: (Float32Array | null)[] = [];
  const free: number[] = [];
  const stateOf = (slot: number): Float32Array => {
    const state = states[slot];
    assert(state, `Slot ${slot} is not in use.`);
    return state;
  };
  const advance = (slot: number, row: number, inputs: Float32Array, outputs: Float32Array): void => {
    const state = stateOf(slot);
    const [value, count] = [inputs[2 * row], inputs[2 * row + 1]];
    state[0] = Number.isNaN(count) ? Number.NaN : link(link(state[0], value), count);
    state[1] += 1;
    outputs[2 * row] = state[0];
    outputs[2 * row + 1] = state[1];
  };
  return {
    name: 'chain',
    modelDigest: CHAIN_MODEL_DIGEST,
    modelName: 'chain',
    inputSize: 2,
    outputSize: 2,
    stateSize: STATE_SIZE,
    allocate() {
      const slot = free.pop() ?? states.length;
      if (slot >= options.slotsMax) throw new RangeError(`All ${options.slotsMax} slots are in use.`);
      states[slot] = new Float32Array(STATE_SIZE);
      return slot;
    },
    release(slot) {
      stateOf(slot);
      states[slot] = null;
      free.push(slot);
    },
    step({ slots, rows, inputs, outputs }) {
      assert.equal(new Set(slots).size, slots.length, 'A wave holds a slot once.');
      slots.forEach((slot, i) => {
        advance(slot, rows[i], inputs, outputs);
      });
    },
    run({ slot, rows, inputs, outputs }) {
      for (const row of rows) advance(slot, row, inputs, outputs);
    },
    readStates(slots, into) {
      Array.from(slots).forEach((slot, i) => {
        into.set(stateOf(slot), i * STATE_SIZE);
      });
    },
    writeStates(slots, from) {
      Array.from(slots).forEach((slot, i) => {
        stateOf(slot).set(from.subarray(i * STATE_SIZE, (i + 1) * STATE_SIZE));
      });
    },
    dispose() {},
  };
}
