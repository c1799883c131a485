import { BufferPool } from './buffer-pool.ts';
import type { StepEngine } from './engine.ts';
import { NO_TIMES, TIMES_SIZE } from './event-times.ts';
import { TRACE_SIZE } from './saturation.ts';
import type { StateLayout } from './series-state.ts';
import { decodeState, encodeStates, packedBytesOf } from './series-state.ts';
import type { SequenceEnd, Stream } from './stream.ts';

/** Stream state and output state of one series, each in an array. */
export type SlotStates = Pick<SequenceEnd, 'streamState' | 'state'> & {
  readonly isQuarantined: boolean;
};

/** The live states of one stream's series: hidden states in the engine's slots, stream states beside them at the same slot numbers. */
export class SeriesMemory {
  readonly layout: StateLayout;
  readonly #engine: StepEngine;
  readonly #outputSize: number;
  readonly #pool = new BufferPool();
  #stream: Float64Array;
  #times: Float64Array;
  #traces: Uint32Array;
  #outputs: Float64Array;
  #quarantined: Uint8Array;
  #size = 0;

  constructor(stream: Stream, engine: StepEngine) {
    this.layout = {
      streamSize: stream.stateSize,
      hiddenSize: engine.stateSize,
      modelDigest: engine.modelDigest,
      isTraced: stream.looksForSaturation ?? false,
      output: stream.outputState ?? null,
    };
    this.#engine = engine;
    this.#outputSize = stream.outputState?.size ?? 0;
    this.#outputs = new Float64Array(64 * this.#outputSize);
    this.#stream = new Float64Array(64 * stream.stateSize);
    this.#times = new Float64Array(64 * TIMES_SIZE);
    this.#traces = new Uint32Array(64 * TRACE_SIZE);
    this.#quarantined = new Uint8Array(64);
  }

  /** Stream states, [slots][streamSize]. Grows at `open`: do not keep it across calls. */
  get stream(): Float64Array {
    return this.#stream;
  }

  /** The series' times by `TIMES`, [slots][TIMES_SIZE]. Grows at `open`: do not keep it across calls. */
  get times(): Float64Array {
    return this.#times;
  }

  /** The series' traces by `TRACE`, [slots][TRACE_SIZE]. Grows at `open`: do not keep it across calls. */
  get traces(): Uint32Array {
    return this.#traces;
  }

  /** Output states, [slots][outputState.size]. Grows at `open`: do not keep it across calls. */
  get outputs(): Float64Array {
    return this.#outputs;
  }

  /** Open slots. */
  get size(): number {
    return this.#size;
  }

  /** A slot with the state in `bytes`, or a fresh one. */
  open(bytes: Uint8Array | null): number {
    const slot = this.#engine.allocate();
    this.#size += 1;
    this.#grow(slot + 1);
    const { streamSize } = this.layout;
    const state = bytes === null ? null : decodeState(this.layout, bytes);
    if (state === null) {
      this.#stream.fill(0, slot * streamSize, (slot + 1) * streamSize);
      this.#times.set(NO_TIMES, slot * TIMES_SIZE);
      this.#traces.fill(0, slot * TRACE_SIZE, (slot + 1) * TRACE_SIZE);
      this.#outputs.fill(0, slot * this.#outputSize, (slot + 1) * this.#outputSize);
      this.#quarantined[slot] = 0;
      return slot;
    }
    this.#stream.set(state.stream, slot * streamSize);
    this.#times.set(state.times, slot * TIMES_SIZE);
    this.#traces.set(state.trace, slot * TRACE_SIZE);
    this.#outputs.set(state.output, slot * this.#outputSize);
    this.#quarantined[slot] = state.quarantined ? 1 : 0;
    this.#engine.writeStates([slot], state.hidden);
    return slot;
  }

  /** A copy of the slot's states, for who tells the end of its sequence. */
  statesAt(slot: number): SlotStates {
    const { streamSize } = this.layout;
    const streamState = this.#stream.slice(slot * streamSize, (slot + 1) * streamSize);
    const state = this.#outputs.slice(slot * this.#outputSize, (slot + 1) * this.#outputSize);
    return { streamState, state, isQuarantined: this.isQuarantined(slot) };
  }

  /** The same of a stored state, in arrays of its own; null where it is of another model or layout. */
  statesIn(bytes: Uint8Array): SlotStates | null {
    const state = decodeState(this.layout, bytes);
    if (state === null) return null;
    const { stream: streamState, output, quarantined: isQuarantined } = state;
    return { streamState, state: output, isQuarantined };
  }

  close(slot: number): void {
    this.#engine.release(slot);
    this.#size -= 1;
  }

  isQuarantined(slot: number): boolean {
    return this.#quarantined[slot] === 1;
  }

  quarantine(slot: number): void {
    this.#quarantined[slot] = 1;
  }

  /**
   * The slots' states as bytes, in order, until `reuse` is given them back. A quarantined one has a hidden state of zeros: how far the network went past the
   * value that was not finite depends on the batch, and a state must not.
   */
  async snapshot(slots: Uint32Array): Promise<Uint8Array[]> {
    const { hiddenSize } = this.layout;
    const raw = this.#pool.take(slots.length * hiddenSize * 4);
    const hidden = new Float32Array(raw, 0, slots.length * hiddenSize);
    await this.#engine.readStates(slots, hidden);
    slots.forEach((slot, i) => {
      if (this.isQuarantined(slot)) hidden.fill(0, i * hiddenSize, (i + 1) * hiddenSize);
    });
    const columns = {
      ...{ quarantined: this.#quarantined, times: this.#times, traces: this.#traces },
      ...{ stream: this.#stream, outputs: this.#outputs },
    };
    const all = this.#pool.take(packedBytesOf(this.layout, slots.length));
    const states = encodeStates(this.layout, columns, slots, hidden, all);
    this.#pool.give(raw);
    return states;
  }

  /** The bytes that `snapshot` gave are not read any more. */
  reuse(states: readonly Uint8Array[]): void {
    if (states.length > 0) this.#pool.give(states[0].buffer as ArrayBuffer);
  }

  #grow(slots: number): void {
    if (slots <= this.#quarantined.length) return;
    const capacity = Math.max(slots, this.#quarantined.length * 2);
    const stream = new Float64Array(capacity * this.layout.streamSize);
    stream.set(this.#stream);
    this.#stream = stream;
    const times = new Float64Array(capacity * TIMES_SIZE);
    times.set(this.#times);
    this.#times = times;
    const traces = new Uint32Array(capacity * TRACE_SIZE);
    traces.set(this.#traces);
    this.#traces = traces;
    const outputs = new Float64Array(capacity * this.#outputSize);
    outputs.set(this.#outputs);
    this.#outputs = outputs;
    const quarantined = new Uint8Array(capacity);
    quarantined.set(this.#quarantined);
    this.#quarantined = quarantined;
  }
}
