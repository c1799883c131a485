/**
 * What a recurrent engine is. A slot holds one series' hidden state in engine memory.
 *
 * Batch invariance: a row's result depends on the model, the slot's state and the input alone. The same bits come out whatever else shares
 * the batch, and T calls of `step` equal one `run` of length T. `test/contract/engine.ts` holds every engine to it.
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
