import { createReferenceEngine } from '../engines/reference.ts';
import { headOf } from '../heads/read-head.ts';
import { type Model, stateSizeOf } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { createBidirectional } from './bidirectional.ts';
import { createForward } from './forward.ts';
import { assertFinite, assertLength, stepsOf } from './input-error.ts';
import { atOnce, type EngineWork, inTurn, type MakeEngine } from './part-model.ts';

export interface SequenceOptions {
  /** What steps the layers; the reference unless said, which knows every form. `createSimdEngine` is some 50 times as fast. */
  readonly engine?: MakeEngine;
  /** Runs that may overlap; 64 unless said. */
  readonly runsMax?: number;
}

export interface SequenceOutputs {
  /** Steps that have an output: T, or 1 where the head reads the last step or the whole sequence. */
  readonly steps: number;
  /** [steps][outputSize], as the head says what they mean. */
  readonly outputs: Float32Array;
  /** After the last step read (a reverse direction's: after the first), [stateSize] as `stateSizeOf` lays it out. */
  readonly state: Float32Array;
}

/** A model over complete sequences. */
export interface SequenceModel {
  readonly model: Model;
  /**
   * Runs inputs [T][inputSize], T of any length. `state` [stateSize] is the state to begin with, zero unless given: a sequence that is cut in two
   * and continued with the first part's state equals the whole, except where a layer reads backwards. Throws InputError where inputs or
   * state have another shape or are not finite.
   */
  run(inputs: Float32Array, options?: { readonly state?: Float32Array }): Promise<SequenceOutputs>;
  /** The same now, by an engine that is done at once (reference, simd). Throws ModelError where it is not. */
  runNow(inputs: Float32Array, options?: { readonly state?: Float32Array }): SequenceOutputs;
  dispose(): void;
}

/** The network without its head's meaning: z [T][outputSize] and the state at the end. */
export interface LinearRun {
  /** last: z of the last step of each direction alone, [1][outputSize]. */
  run(sequence: {
    readonly inputs: Float32Array;
    readonly steps: number;
    readonly state: Float32Array | null;
    readonly last: boolean;
  }): EngineWork<{ readonly z: Float32Array; readonly state: Float32Array }>;
  dispose(): void;
}

/**
 * A model that reads complete sequences: a stacked RNN, LSTM or GRU in one direction or in both (`bidirectional`), with any head.
 * Throws ModelError for an encoder-decoder, and where the engine cannot step its cell.
 */
export function createSequenceModel(model: Model, options: SequenceOptions = {}): SequenceModel {
  const { spec } = model;
  const { engine = createReferenceEngine, runsMax = 64 } = options;
  if (spec.decoder) throw new ModelError(`Model '${spec.name}' has a decoder: run it with createEncoderDecoder.`);
  const make = (part: Model) => engine(part, { slotsMax: runsMax });
  const network: LinearRun = spec.bidirectional ? createBidirectional(model, make) : createForward(model, make);
  const head = headOf(spec);
  const scope = spec.head?.scope ?? 'per-step';
  const stateSize = stateSizeOf(spec);

  function* read(inputs: Float32Array, from: { readonly state?: Float32Array } = {}): EngineWork<SequenceOutputs> {
    const steps = stepsOf(inputs, spec.inputSize, `Inputs of '${spec.name}'`);
    const { state: begin = null } = from;
    if (begin !== null) assertState(begin);
    const { z, state } = yield* network.run({ inputs, steps, state: begin, last: scope === 'last-step' });
    const rows = scope === 'sequence' ? meanOf(z, steps, spec.outputSize) : z;
    const outputs = new Float32Array(rows.length);
    for (let at = 0; at < rows.length; at += spec.outputSize) head.read(rows, at, outputs, at);
    return { steps: outputs.length / spec.outputSize, outputs, state };
  }

  function assertState(state: Float32Array): void {
    assertLength(state, stateSize, `State of '${spec.name}'`);
    assertFinite(state, stateSize, `State of '${spec.name}'`);
  }

  return {
    model,
    // Also what is wrong with the inputs comes as a rejection.
    run: async (...sequence) => inTurn(read(...sequence)),
    runNow: (...sequence) => atOnce(read(...sequence)),
    dispose: () => network.dispose(),
  };
}

/** Mean of z over the steps, which is z of the mean h. z: [steps][size]. */
function meanOf(z: Float32Array, steps: number, size: number): Float64Array {
  const mean = new Float64Array(size);
  for (let t = 0; t < steps; t += 1) for (let o = 0; o < size; o += 1) mean[o] += z[t * size + o];
  return mean.map((sum) => sum / steps);
}
