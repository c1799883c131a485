import type { Engine, EngineOptions } from '../../../engine.ts';
import { type Model, stateSizeOf } from '../../../model.ts';
import { assertPaired, assertRows } from '../../batch-checks.ts';
import type { Backend } from '../backend.ts';
import { affordable, invariantHeights, type Tile, tilesOf } from '../heights.ts';
import { encodeProgram, FEEDS, FETCHES } from './program.ts';
import { ResidentStates, SCRATCH_ROW, ZERO_ROW } from './resident-states.ts';
import { type Feed, type Session, startSession } from './session.ts';

/**
 * An engine of one TensorFlow graph on the native backend, with states that stay on the device.
 *
 * A step is one run of the graph for each tile: it gathers the states of the tile's slots from a variable, advances them and scatters them back, so
 * only row numbers and inputs go to the device and only outputs come from it. `fused`: LSTM layers by TensorFlow's LSTMBlockCell.
 */
export function createGraphEngine(
  model: Model,
  options: EngineOptions & { readonly fused: boolean },
  backend: Backend,
): Engine {
  return new GraphEngine(model, options, backend);
}

class GraphEngine implements Engine {
  readonly name: string;
  readonly modelName: string;
  readonly modelDigest: string;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly stateSize: number;
  readonly #backend: Backend;
  readonly #session: Session;
  readonly #states: ResidentStates;
  readonly #heights: readonly number[];
  #disposed = false;

  constructor(model: Model, options: EngineOptions & { readonly fused: boolean }, backend: Backend) {
    const { spec } = model;
    this.name = options.fused ? `${backend.kind}-fused` : backend.kind;
    this.modelName = spec.name;
    this.modelDigest = model.digest;
    this.inputSize = spec.inputSize;
    this.outputSize = spec.outputSize;
    this.stateSize = stateSizeOf(spec);
    this.#backend = backend;
    this.#session = startSession(backend.tf, encodeProgram(model, options));
    this.#states = new ResidentStates({
      ...{ session: this.#session, slotsMax: options.slotsMax, stateSize: this.stateSize },
    });
    try {
      this.#heights = this.#tryHeights(affordable(backend.heightsTried, spec));
    } catch (error) {
      this.dispose();
      throw error;
    }
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
    this.#states.prepare();
    const tiles = tilesOf(slots.length, this.#heights, this.#backend.overheadRows);
    // No state is in force and no output written before all tiles have succeeded: a failed step changes nothing.
    const results = tiles.map((tile) => this.#stepTile(tile, slots, rows, inputs));
    this.#states.commit(slots);
    tiles.forEach(({ from, rows: count }, t) => {
      for (let i = 0; i < count; i += 1) this.#put(outputs, rows[from + i], results[t], i);
    });
  }

  run(sequence: Parameters<Engine['run']>[0]): void {
    const { slot, rows, inputs, outputs } = sequence;
    this.#states.assertUsed([slot]);
    assertRows(this, sequence);
    this.#states.prepare();
    const height = this.#heights[0];
    const results: Float32Array[] = [];
    const x = new Float32Array(height * this.inputSize);
    let from = this.#states.rowOf(slot);
    const to = this.#states.rowAfter(slot);
    for (const row of rows) {
      x.set(inputs.subarray(row * this.inputSize, (row + 1) * this.inputSize));
      results.push(this.#runStep({ height, x, from: [from], to: [to] }));
      // Its own result from here on; the state in force stays as it was until all of the run has succeeded.
      from = to;
    }
    if (rows.length > 0) this.#states.commit([slot]);
    rows.forEach((row, t) => {
      this.#put(outputs, row, results[t], 0);
    });
  }

  readStates(slots: ArrayLike<number>, into: Float32Array): void {
    this.#states.read(slots, into);
  }

  writeStates(slots: ArrayLike<number>, from: Float32Array): void {
    this.#states.write(slots, from);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#states.dispose();
    this.#session.dispose();
  }

  #stepTile(tile: Tile, slots: Uint32Array, rows: Uint32Array, inputs: Float32Array): Float32Array {
    const { inputSize } = this;
    const x = new Float32Array(tile.height * inputSize);
    const from: number[] = [];
    const to: number[] = [];
    for (let i = 0; i < tile.rows; i += 1) {
      const row = rows[tile.from + i];
      const slot = slots[tile.from + i];
      x.set(inputs.subarray(row * inputSize, (row + 1) * inputSize), i * inputSize);
      from.push(this.#states.rowOf(slot));
      to.push(this.#states.rowAfter(slot));
    }
    return this.#runStep({ height: tile.height, x, from, to });
  }

  /** x [height][inputSize] and the rows of the variable to [height][outputSize]; rows that are not given are empty. */
  #runStep(tile: {
    readonly height: number;
    readonly x: Float32Array;
    readonly from: readonly number[];
    readonly to: readonly number[];
  }): Float32Array {
    const { height, x } = tile;
    const from = new Int32Array(height).fill(ZERO_ROW);
    const to = new Int32Array(height).fill(SCRATCH_ROW);
    from.set(tile.from);
    to.set(tile.to);
    return this.#session.run(
      [
        { name: FEEDS.inputs, shape: [height, this.inputSize], values: x },
        indices(FEEDS.from, from),
        indices(FEEDS.to, to),
      ],
      FETCHES.outputs,
    );
  }

  #put(outputs: Float32Array, row: number, result: Float32Array, at: number): void {
    outputs.set(result.subarray(at * this.outputSize, (at + 1) * this.outputSize), row * this.outputSize);
  }

  /** The heights whose rows agree in outputs and states, tried with the very runs of a step, in a variable of their own. */
  #tryHeights(tried: readonly number[]): readonly number[] {
    const { stateSize, inputSize, outputSize } = this;
    const highest = Math.max(...tried);
    const rows = { name: FEEDS.rows, shape: [1], values: Int32Array.of(2 * highest) };
    this.#session.run([rows], FETCHES.made);
    return invariantHeights({
      tried,
      rowSize: stateSize + inputSize,
      resultSize: stateSize + outputSize,
      advance: (tile, height) => {
        const from = Array.from({ length: height }, (_, i) => i);
        const to = from.map((row) => highest + row);
        const [before, x] = columnsOf(tile, height, stateSize);
        const states = { name: FEEDS.states, shape: [height, stateSize], values: before };
        this.#session.run([states, indices(FEEDS.to, Int32Array.from(from))], FETCHES.written);
        const outputs = this.#runStep({ height, x, from, to });
        const after = this.#session.run([indices(FEEDS.from, Int32Array.from(to))], FETCHES.read);
        return beside(after, outputs, height);
      },
    });
  }
}

/** [rows][n] to [rows][left] and [rows][n - left]. */
function columnsOf(values: Float32Array, rows: number, left: number): readonly [Float32Array, Float32Array] {
  const n = values.length / rows;
  const parts = [new Float32Array(rows * left), new Float32Array(rows * (n - left))] as const;
  for (let r = 0; r < rows; r += 1) {
    parts[0].set(values.subarray(r * n, r * n + left), r * left);
    parts[1].set(values.subarray(r * n + left, (r + 1) * n), r * (n - left));
  }
  return parts;
}

/** [rows][n1] and [rows][n2] to [rows][n1 + n2]. */
function beside(left: Float32Array, right: Float32Array, rows: number): Float32Array {
  const [n1, n2] = [left.length / rows, right.length / rows];
  const joined = new Float32Array(left.length + right.length);
  for (let r = 0; r < rows; r += 1) {
    joined.set(left.subarray(r * n1, (r + 1) * n1), r * (n1 + n2));
    joined.set(right.subarray(r * n2, (r + 1) * n2), r * (n1 + n2) + n1);
  }
  return joined;
}

function indices(name: string, values: Int32Array): Feed {
  return { name, shape: [values.length], values };
}
