import { affineSum } from '../cells/affine.ts';
import type { Engine } from '../engine.ts';
import { headOf } from '../heads/read-head.ts';
import type { Model, ModelSpec } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { stepsOf } from './input-error.ts';
import { type MakeEngine, partModel } from './part-model.ts';

/** What a model answers to a sequence without its step k, for each k: [T][outputSize]. inputs: [T][inputSize], T from 2 to `stepsMax`. */
export type LeaveOneOut = (inputs: Float32Array) => Float32Array;

export interface LeaveOneOutOptions {
  /** What steps the layers; done at once (reference, simd). */
  readonly engine: MakeEngine;
  readonly stepsMax: number;
}

/** Whether `createLeaveOneOut` takes the model: one layer in both directions, read whole. Of more layers the upper ones share nothing. */
export function leavesOneOut({ bidirectional, layers, head, decoder }: ModelSpec): boolean {
  return bidirectional === true && layers === 1 && head?.scope === 'sequence' && !decoder;
}

/**
 * The same bits as `createSequenceModel(model).runNow` on each of the T shortened sequences, for less. A direction that has not come to the step that is left
 * out has read what the whole sequence's has: so one slot reads everything, copy k leaves it where step k would be read, and at each step all copies on their
 * way read the same row in one batch. T (T - 1) rows in 2 T batches, in the place of 2 T (T - 1) rows one by one. An engine's row does not depend on what
 * shares its batch, and the sums have the order of the one-by-one runs. Throws ModelError where the model is none of `leavesOneOut`.
 */
export function createLeaveOneOut(model: Model, { engine: make, stepsMax }: LeaveOneOutOptions): LeaveOneOut {
  const { spec, weights } = model;
  if (!leavesOneOut(spec))
    throw new ModelError(
      `Model '${spec.name}' is no single layer in both directions that is read whole: run it copy by copy.`,
    );
  const { hiddenSize: n, outputSize, inputSize } = spec;
  const [forward, reverse] = weights.layers.map((layer, i) =>
    // A slot a copy, and that of the whole.
    make(partModel(spec, { name: `without a step, ${i}`, inputSize, layers: [layer], head: null }), {
      slotsMax: stepsMax + 1,
    }),
  );
  const head = headOf(spec);
  const nothing = { w2: new Float32Array(0), b2: new Float32Array(outputSize), h: new Float32Array(0), hAt: 0, nh: 0 };
  return (inputs) => {
    const steps = stepsOf(inputs, inputSize, `Inputs of '${spec.name}'`);
    if (steps < 2 || steps > stepsMax)
      throw new RangeError(`A sequence of ${steps} steps: leaving one out takes 2 to ${stepsMax}.`);
    const f = readWithout(forward, inputs, steps, (t) => t);
    const b = readWithout(reverse, inputs, steps, (t) => steps - 1 - t);
    const outputs = new Float32Array(steps * outputSize);
    const y = new Float32Array(2 * n);
    const z = new Float64Array(outputSize);
    const linear = { w1: weights.headW, b1: weights.headB, x: y, xAt: 0, nx: 2 * n, ...nothing };
    for (let k = 0; k < steps; k += 1) {
      const mean = new Float64Array(outputSize);
      for (let t = 0; t < steps; t += 1) {
        if (t === k) continue;
        f(k, t, y, 0);
        b(k, t, y, n);
        affineSum(linear, 0, outputSize, z);
        // As float32, which a row of a run is.
        for (let o = 0; o < outputSize; o += 1) mean[o] += Math.fround(z[o]);
      }
      head.read(
        mean.map((sum) => sum / (steps - 1)),
        0,
        outputs,
        k * outputSize,
      );
    }
    return outputs;
  };
}

/** Copies h [H] of place t, where place k is left out. */
type ReadPlace = (k: number, t: number, into: Float32Array, intoAt: number) => void;

/** rowAt: the place that the direction reads at its i-th step. */
function readWithout(engine: Engine, inputs: Float32Array, steps: number, rowAt: (i: number) => number): ReadPlace {
  const n = engine.outputSize;
  // Of step i: the whole's h, then that of each copy that has left it, in the order of leaving.
  const read: Float32Array[] = [];
  const slots = [engine.allocate()];
  const state = new Float32Array(engine.stateSize);
  try {
    for (let i = 0; i < steps; i += 1) {
      const width = slots.length;
      const onTheirWay = Uint32Array.from(slots);
      // The copy that does without the last step has read all that the whole had read before it.
      if (i < steps - 1) {
        slots.push(engine.allocate());
        assertNow(engine.readStates([slots[0]], state));
        engine.writeStates([slots[width]], state);
      }
      const row = inputs.subarray(rowAt(i) * engine.inputSize, (rowAt(i) + 1) * engine.inputSize);
      const wave = new Float32Array(width * engine.inputSize);
      for (let at = 0; at < width; at += 1) wave.set(row, at * engine.inputSize);
      const h = new Float32Array(width * n);
      const rows = Uint32Array.from({ length: width }, (_, at) => at);
      assertNow(engine.step({ slots: onTheirWay, rows, inputs: wave, outputs: h }));
      read.push(h);
    }
  } finally {
    for (const slot of slots) engine.release(slot);
  }
  const stepAt = new Uint32Array(steps);
  for (let i = 0; i < steps; i += 1) stepAt[rowAt(i)] = i;
  return (k, t, into, intoAt) => {
    const from = read[stepAt[t]];
    const at = stepAt[t] > stepAt[k] ? (stepAt[k] + 1) * n : 0;
    // Sixteen numbers or so: a loop is done before a view is made.
    for (let i = 0; i < n; i += 1) into[intoAt + i] = from[at + i];
  };
}

function assertNow(work: Promise<void> | undefined | void): void {
  if (work instanceof Promise)
    throw new ModelError('Leaving one out takes an engine that is done at once: reference or simd.');
}
