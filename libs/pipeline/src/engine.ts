/**
 * The recurrent engine as the pipeline sees it. `@tideline/nn` implements it structurally; the pipeline does not import it.
 *
 * A slot holds one series' hidden state in engine memory. A result depends on nothing but the model, the slot's state and the input
 * (batch invariance): the same bits come out whatever else shares the batch, and T calls of `step` equal one `run` of length T.
 */
export interface StepEngine {
  /** For the log: `reference`, `tfjs-wasm`. */
  readonly name: string;
  /** SHA-256 of the weights, hex: states belong to one model. */
  readonly modelDigest: string;
  /** Name of the model, tag `model` of the points. */
  readonly modelName: string;
  readonly inputSize: number;
  readonly outputSize: number;
  /** float32 values of hidden state a slot. */
  readonly stateSize: number;
  /** A slot with a zero state. Grows memory as needed; throws RangeError beyond the bound given at creation. */
  allocate(): number;
  /** Gives a slot back. Using it afterwards is an assertion failure. */
  release(slot: number): void;
  /**
   * Advances `slots` (distinct) by one step each.
   * inputs: [n][inputSize] read at rows `rows[i]`; outputs: [n][outputSize] written at the same rows.
   */
  step(batch: StepBatch): void | Promise<void>;
  /** Advances one slot through the given rows in order; equals that many `step`s to the bit. */
  run(sequence: SequenceRun): void | Promise<void>;
  /** Copies the slots' states out, [slots.length][stateSize]. */
  readStates(slots: ArrayLike<number>, into: Float32Array): void | Promise<void>;
  /** Overwrites the slots' states, [slots.length][stateSize]. */
  writeStates(slots: ArrayLike<number>, from: Float32Array): void;
  dispose(): void;
}

/** One wave: at most one row a series. */
export interface StepBatch {
  readonly slots: Uint32Array;
  /** Row of `inputs` and `outputs` that belongs to slots[i]. */
  readonly rows: Uint32Array;
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
}

/** A run of one series. */
export interface SequenceRun {
  readonly slot: number;
  readonly rows: Uint32Array;
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
}
