import { dot } from '../cells/affine.ts';
import type { Engine } from '../engine.ts';
import type { Model, ModelSpec } from '../model.ts';
import { stateSizeOf } from '../model.ts';
import { type EngineWork, partModel, stateOf, withSlot } from './part-model.ts';
import type { LinearRun } from './sequence-model.ts';

/**
 * A stacked bidirectional network. Layer l reads y^(l-1) (y^(0) = x) once from the first step to the last and once from the last to the first,
 * with weights of their own:
 *   f_t = cell(y_t, f_{t-1}; W_l), b_t = cell(y_t, b_{t+1}; W_l reverse), y^(l)_t = [f_t, b_t], z_t = W_head y^(L)_t + b_head.
 * The last step of each direction is f_T and b_1. Source: M. Schuster, K. Paliwal, "Bidirectional Recurrent Neural Networks", 1997; with LSTM:
 * A. Graves, J. Schmidhuber, "Framewise Phoneme Classification with Bidirectional LSTM", 2005. Layout as in PyTorch.
 * Shapes: x [T][I], f and b [T][H], y [T][2H], W_head [outputSize][2H].
 */
export function createBidirectional({ spec, weights }: Model, make: (part: Model) => Engine): LinearRun {
  const { hiddenSize, outputSize } = spec;
  const engines = weights.layers.map((layer, place) => {
    const inputSize = place < 2 ? spec.inputSize : 2 * hiddenSize;
    const name = `layer ${place >> 1} ${place % 2 === 0 ? 'forward' : 'reverse'}`;
    return make(partModel(spec, { name, inputSize, layers: [layer], head: null }));
  });

  const run: LinearRun['run'] = function* ({ inputs, steps, state, last }) {
    const stateAtEnd = new Float32Array(stateSizeOf(spec));
    let y = inputs;
    for (let place = 0; place < engines.length; place += 2) {
      const below = y;
      y = new Float32Array(steps * 2 * hiddenSize);
      for (const direction of [0, 1] as const) {
        const begin = state === null ? null : partState(spec, state, place + direction);
        const one = yield* runDirection(engines[place + direction], { inputs: below, steps, direction, state: begin });
        for (let t = 0; t < steps; t += 1)
          y.set(one.h.subarray(t * hiddenSize, (t + 1) * hiddenSize), (2 * t + direction) * hiddenSize);
        setPartState(spec, stateAtEnd, place + direction, one.state);
      }
    }
    const read = last ? lastSteps(y, steps, hiddenSize) : y;
    const z = new Float32Array((read.length / (2 * hiddenSize)) * outputSize);
    for (let i = 0; i < z.length; i += 1) {
      const o = i % outputSize;
      const at = ((i - o) / outputSize) * 2 * hiddenSize;
      z[i] = weights.headB[o] + dot(weights.headW, o * 2 * hiddenSize, read, at, 2 * hiddenSize);
    }
    return { z, state: stateAtEnd };
  };

  return {
    run,
    dispose() {
      for (const engine of engines) engine.dispose();
    },
  };
}

/** h of every step at its place, [T][H], and the state after the direction's last step. */
function runDirection(
  engine: Engine,
  part: {
    readonly inputs: Float32Array;
    readonly steps: number;
    readonly direction: 0 | 1;
    readonly state: Float32Array | null;
  },
): EngineWork<{ readonly h: Float32Array; readonly state: Float32Array }> {
  const { inputs, steps, direction, state } = part;
  return withSlot(engine, state, function* (slot) {
    const h = new Float32Array(steps * engine.outputSize);
    const rows = Uint32Array.from({ length: steps }, (_, t) => (direction === 0 ? t : steps - 1 - t));
    yield engine.run({ slot, rows, inputs, outputs: h }) ?? undefined;
    return { h, state: yield* stateOf(engine, slot) };
  });
}

/** [f_T, b_1], [2H]. */
function lastSteps(y: Float32Array, steps: number, hiddenSize: number): Float32Array {
  const last = new Float32Array(2 * hiddenSize);
  last.set(y.subarray((steps - 1) * 2 * hiddenSize, ((steps - 1) * 2 + 1) * hiddenSize));
  last.set(y.subarray(hiddenSize, 2 * hiddenSize), hiddenSize);
  return last;
}

/** h and (LSTM) c of one layer in one direction out of the whole state [h of each place][c of each place]. */
function partState(spec: ModelSpec, state: Float32Array, place: number): Float32Array {
  const { hiddenSize: n } = spec;
  const parts = state.length / (2 * spec.layers * n);
  return Float32Array.from({ length: parts * n }, (_, i) => state[stateAt(spec, place, i)]);
}

function setPartState(spec: ModelSpec, state: Float32Array, place: number, part: Float32Array): void {
  part.forEach((value, i) => {
    state[stateAt(spec, place, i)] = value;
  });
}

/** Where value i of a part's state [h][c] stands in the whole one. */
function stateAt({ layers, hiddenSize: n }: ModelSpec, place: number, i: number): number {
  return Math.floor(i / n) * 2 * layers * n + place * n + (i % n);
}
