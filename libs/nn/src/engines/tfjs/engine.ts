import assert from 'node:assert/strict';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { Engine, EngineOptions } from '../../engine.ts';
import { type Model, stateSizeOf } from '../../model.ts';
import { SlotStates } from '../../slot-states.ts';
import { assertPaired, assertRows } from '../batch-checks.ts';
import type { Backend } from './backend.ts';
import { affordable, invariantHeights, tilesOf } from './heights.ts';
import { createNetwork, type Network } from './network.ts';

/**
 * An engine of explicit TensorFlow.js ops.
 *
 * States stay in one typed array of this process, not in tensors: a step gathers the rows of a tile, uploads them with the inputs as one
 * tensor and reads states and outputs back as one. The outputs have to come back anyway, the copy costs far less than one operation, and so
 * saving and restoring are plain copies (bit-identical), a step that throws leaves every state as it was, and no tensor outlives a step.
 */
export function createTfjsEngine(model: Model, options: EngineOptions, backend: Backend): Engine {
  return new TfjsEngine(model, options, backend);
}

class TfjsEngine implements Engine {
  readonly name: string;
  readonly modelName: string;
  readonly modelDigest: string;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly stateSize: number;
  readonly #backend: Backend;
  readonly #network: Network;
  readonly #heights: readonly number[];
  readonly #states: SlotStates;

  constructor(model: Model, options: EngineOptions, backend: Backend) {
    const { spec } = model;
    this.name = backend.kind;
    this.modelName = spec.name;
    this.modelDigest = model.digest;
    this.inputSize = spec.inputSize;
    this.outputSize = spec.outputSize;
    this.stateSize = stateSizeOf(spec);
    this.#backend = backend;
    this.#states = new SlotStates({ slotsMax: options.slotsMax, stateSize: this.stateSize });
    this.#select();
    this.#network = createNetwork(model, backend.tf);
    this.#heights = this.#tryHeights(affordable(backend.heightsTried, spec));
  }

  allocate(): number {
    return this.#states.allocate();
  }

  release(slot: number): void {
    this.#states.release(slot);
  }

  step(batch: Parameters<Engine['step']>[0]): void {
    const { slots, rows, inputs, outputs } = batch;
    assertPaired(batch);
    this.#states.assertUsed(slots);
    assertRows(this, batch);
    const { stateSize, outputSize } = this;
    // All tiles are computed before any state is written: a failed step changes nothing.
    const tiles = tilesOf(slots.length, this.#heights, this.#backend.overheadRows);
    const results = tiles.map(({ from, rows: count, height }) => {
      const values = this.#emptyTile(this.#backend.padsTiles ? height : count);
      for (let i = 0; i < count; i += 1)
        this.#fill(values, i, this.#states.of(slots[from + i]), inputs, rows[from + i]);
      return this.#advance(values);
    });
    const width = stateSize + outputSize;
    tiles.forEach(({ from, rows: count }, t) => {
      for (let i = 0; i < count; i += 1) {
        const at = i * width;
        this.#states.of(slots[from + i]).set(results[t].subarray(at, at + stateSize));
        outputs.set(results[t].subarray(at + stateSize, at + width), rows[from + i] * outputSize);
      }
    });
  }

  run(sequence: Parameters<Engine['run']>[0]): void {
    const { slot, rows, inputs, outputs } = sequence;
    this.#states.assertUsed([slot]);
    assertRows(this, sequence);
    const { stateSize, outputSize } = this;
    let state = this.#states.of(slot);
    for (const row of rows) {
      const tile = this.#emptyTile(this.#heights[0]);
      this.#fill(tile, 0, state, inputs, row);
      const result = this.#advance(tile);
      state = result.subarray(0, stateSize);
      outputs.set(result.subarray(stateSize, stateSize + outputSize), row * outputSize);
    }
    this.#states.of(slot).set(state);
  }

  readStates(slots: ArrayLike<number>, into: Float32Array): void {
    this.#states.read(slots, into);
  }

  writeStates(slots: ArrayLike<number>, from: Float32Array): void {
    this.#states.write(slots, from);
  }

  dispose(): void {
    this.#select();
    this.#network.dispose();
    this.#states.dispose();
  }

  /** A backend that adds in one order whatever the shape needs no trial, and no empty rows. */
  #tryHeights(tried: readonly number[]): readonly number[] {
    if (!this.#backend.padsTiles) return [1, Math.max(...tried)];
    return invariantHeights({
      tried,
      rowSize: this.stateSize + this.inputSize,
      resultSize: this.stateSize + this.outputSize,
      advance: (tile) => this.#advance(tile),
    });
  }

  /** [rows][stateSize + inputSize], zeros. */
  #emptyTile(rows: number): Float32Array {
    return new Float32Array(rows * (this.stateSize + this.inputSize));
  }

  #fill(tile: Float32Array, at: number, state: Float32Array, inputs: Float32Array, row: number): void {
    const { stateSize, inputSize } = this;
    const start = at * (stateSize + inputSize);
    tile.set(state, start);
    tile.set(inputs.subarray(row * inputSize, (row + 1) * inputSize), start + stateSize);
  }

  /** [B][stateSize + inputSize] to [B][stateSize + outputSize]. */
  #advance(tile: Float32Array): Float32Array {
    this.#select();
    const { tf } = this.#backend;
    const width = this.stateSize + this.inputSize;
    const uploaded: Tensor2D = tf.tensor2d(tile, [tile.length / width, width]);
    const advanced = tf.tidy(() => this.#network.advance(uploaded));
    // Read outside of `tidy`, which walks its result value by value in search of tensors. Some backends hand out a view of their own memory.
    const result = (advanced.dataSync() as Float32Array).slice();
    uploaded.dispose();
    advanced.dispose();
    return result;
  }

  /** TensorFlow.js has one backend in force a process; engines of several take turns. A started one is in force when the call returns. */
  #select(): void {
    const { tf, registered } = this.#backend;
    if (tf.getBackend() !== registered) void tf.setBackend(registered);
    assert.equal(tf.getBackend(), registered);
  }
}
