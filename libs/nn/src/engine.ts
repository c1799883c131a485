import type { ModelSpec } from './model.ts';
import { ModelError } from './model-error.ts';

/**
 * What a recurrent engine is. A slot holds one series' hidden state in engine memory.
 *
 * Batch invariance: a row's result depends on the model, the slot's state and the input alone. The same bits come out whatever else shares
 * the batch, and T calls of `step` equal one `run` of length T. `test/contract/engine.ts` holds every engine to it.
 *
 * Outputs are the head's linear rows, whatever the spec's head: `headOf(spec).read` makes quantiles or probabilities of them.
 */
export interface Engine {
  /** `reference`, `tfjs-wasm`, ... */
  readonly name: string;
  readonly modelName: string;
  /** SHA-256 of spec and weights, hex. */
  readonly modelDigest: string;
  readonly inputSize: number;
  readonly outputSize: number;
  /** float32 values of state a slot, laid out as `stateSizeOf` says. */
  readonly stateSize: number;
  /** A slot with a zero state. Throws RangeError where `slotsMax` are in use. */
  allocate(): number;
  /** Gives a slot back; its use afterwards is an assertion failure. */
  release(slot: number): void;
  /** Advances distinct slots by one step. inputs [*][inputSize] and outputs [*][outputSize] are addressed by `rows`. */
  step(batch: {
    readonly slots: Uint32Array;
    readonly rows: Uint32Array;
    readonly inputs: Float32Array;
    readonly outputs: Float32Array;
  }): void | Promise<void>;
  /** Advances one slot through `rows` in order. */
  run(sequence: {
    readonly slot: number;
    readonly rows: Uint32Array;
    readonly inputs: Float32Array;
    readonly outputs: Float32Array;
  }): void | Promise<void>;
  /** Copies states out, [slots.length][stateSize]. */
  readStates(slots: ArrayLike<number>, into: Float32Array): void | Promise<void>;
  /** Overwrites states, [slots.length][stateSize]. */
  writeStates(slots: ArrayLike<number>, from: Float32Array): void;
  dispose(): void;
}

export interface EngineOptions {
  /** Slots in use at most. */
  readonly slotsMax: number;
}

/** Forms of a network beyond the plain one that an engine may have learned to step. */
export type NetworkForm = 'peephole' | 'layerNorm' | 'inputLayer' | 'skipConnection';

/**
 * Throws ModelError where an engine of the name cannot step the model: it has learned the forms in `serves` only, and a network that reads
 * its sequence backwards, or to its end, has no step at all.
 */
export function assertServes(engine: string, spec: ModelSpec, serves: readonly NetworkForm[]): void {
  const refuse = (what: string, cure: string): never => {
    throw new ModelError(`Model '${spec.name}' ${what}, which engine '${engine}' cannot step: ${cure}`);
  };
  if (spec.bidirectional)
    refuse(
      'is bidirectional',
      'its reverse direction begins at the end of a sequence. Run complete sequences with createSequenceModel.',
    );
  if (spec.decoder) refuse('has a decoder', 'it writes whole sequences. Run it with createEncoderDecoder.');
  if (spec.head?.scope === 'sequence')
    refuse(
      "has head.scope 'sequence'",
      'its output is a mean over all steps. Run complete sequences with createSequenceModel.',
    );
  for (const form of ['peephole', 'layerNorm', 'inputLayer', 'skipConnection'] as const)
    if (spec[form] && !serves.includes(form))
      refuse(`has ${form}`, "take the engine 'reference', or train it without.");
}
