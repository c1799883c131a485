/** A StepEngine whose state is a hash of its inputs and a count of its steps. What a real engine would blur, this one shows in whole numbers. */
import assert from 'node:assert/strict';
import type { StepEngine } from '@tideline/pipeline';
import { link } from './chain-hash.ts';

/** A model of the chain: another salt makes another hash of the same inputs. */
export interface ChainModel {
  readonly name: string;
  readonly digest: string;
  readonly salt: number;
}

export const CHAIN_MODELS: readonly [ChainModel, ChainModel] = [
  { name: 'chain-1', digest: 'c4a1'.repeat(16), salt: 0 },
  { name: 'chain-2', digest: 'c4a2'.repeat(16), salt: 77_777 },
];
const STATE_SIZE = 2;

export function createChainEngine(options: { readonly slotsMax: number; readonly model?: ChainModel }): StepEngine {
  const { name: modelName, digest: modelDigest, salt } = options.model ?? CHAIN_MODELS[0];
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
    state[0] = Number.isNaN(count) ? Number.NaN : link(link(state[0] ^ salt, value), count);
    state[1] += 1;
    outputs[2 * row] = state[0];
    outputs[2 * row + 1] = state[1];
  };
  return {
    name: 'chain',
    modelDigest,
    modelName,
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
