import type { Chunk, ChunkBuilder, ChunkSchema } from './chunk.ts';
import type { LatePolicy } from './event-times.ts';
import type { RawRecord, Shard } from './record.ts';

/** What a row does to its series: `step` advances the network, `skip` changes the stream state only, `end` releases the series. */
export type RowAction = 'step' | 'skip' | 'end';

/** Where a row's values stand: the stream state, the network's input and the row's own context, each in a flat array. */
export interface RowBuffers {
  /** Stream states, [slots][stateSize]; float64. */
  readonly state: Float64Array;
  readonly stateAt: number;
  /** Inputs, [rows][inputSize]; float32. */
  readonly inputs: Float32Array;
  readonly inputAt: number;
  /** What `emit` must know of this row after later rows changed the stream state, [rows][contextSize]; float64. */
  readonly context: Float64Array;
  readonly contextAt: number;
}

/** Takes lines one by one; an array does. */
export interface LineWriter {
  push(line: string): unknown;
}

/** A forecast that came out of the network for one row. */
export interface RowOutput {
  readonly outputs: Float32Array;
  readonly outputAt: number;
  readonly context: Float64Array;
  readonly contextAt: number;
  /** What the network saw, [rows][inputSize]; float32. */
  readonly inputs: Float32Array;
  readonly inputAt: number;
  /** Output states, [slots][outputState.size], which `emit` may change; empty where the stream has none. float64. */
  readonly state: Float64Array;
  readonly stateAt: number;
}

/** How a sequence came to its end: a row ended it, its series began anew with a row, or it was silent for longer than the stream's TTL. */
export type SequenceCause = 'ended' | 'restarted' | 'silent';

/** A sequence that is over. Its states are those behind its last row. */
export interface SequenceEnd {
  readonly key: string;
  readonly cause: SequenceCause;
  /** The row that ended it; null where no row of its own did: then the points must be a function of the states alone. */
  readonly by: { readonly chunk: Chunk; readonly row: number } | null;
  /** [stateSize] */
  readonly streamState: Float64Array;
  /** [outputState.size] */
  readonly state: Float64Array;
}

/** What the points of a series are made with besides the row: forecasts that await their truth, corrections, running scores. */
export interface OutputState {
  /** float64 values a series; a new series starts at zeros. */
  readonly size: number;
  /** 32 bits that tell one meaning of the values from others: a stored output state of another meaning reads as zeros, the rest of its state stays. */
  readonly meaning: number;
}

/** Takes out of what came what may not be kept. Pure: the same in, the same out; what it gave it gives again. */
export interface Redaction {
  /** Of a record that is to be kept as a whole: as a dead letter, or beside its row. It decodes to the same row as the record that came. */
  record(record: RawRecord): RawRecord;
  /** Of the reason why a record was refused, which may quote it. */
  reason(reason: string): string;
}

/**
 * What a stream is: how its records are read, what the network sees of them, and what its outputs mean.
 * Pure and deterministic: no clock, no randomness, event time only.
 */
export interface Stream {
  /** Tag `stream` of its points: `ticks`, `calls`. */
  readonly name: string;
  readonly schema: ChunkSchema;
  /** float64 values of stream state a series; a new series starts at zeros. */
  readonly stateSize: number;
  readonly contextSize: number;
  readonly inputSize: number;
  readonly outputSize: number;
  /** State that `emit` reads and changes, committed with the series' other state; absent: none. */
  readonly outputState?: OutputState;
  /** What happens to late and repeated records; default `apply`. */
  readonly late?: LatePolicy;
  /** A series that was silent for longer, in event time, starts anew, and its state is removed; absent: never. */
  readonly idleTtlMs?: number;
  /** Whether a series whose network answers the same to everything is quarantined (`saturation.ts`); absent: it is not looked for. */
  readonly looksForSaturation?: boolean;
  /** Whether the row begins its sequence: where the series has had records already, and the row is not late, it starts anew with this one. */
  begins?(chunk: Chunk, row: number): boolean;
  /** Whether the row ends its sequence, which it does whatever its time: it is never late. */
  ends?(chunk: Chunk, row: number): boolean;
  /** Whether the row is the one again that its series stepped last. Asked before `advance`, with the series' stream state. */
  repeats?(chunk: Chunk, row: number, state: Float64Array, stateAt: number): boolean;
  /** Absent: records may be kept as they come. What `decode` pushes is free of what may not be kept. */
  readonly redaction?: Redaction;
  /** Reads one record into the builder's next row. Throws PoisonRecordError, and pushes nothing, where it cannot. */
  decode(record: RawRecord, builder: ChunkBuilder): void;
  /**
   * Makes ready what `advance` needs of the chunk's rows from `first` on and what takes longer than a moment: a function of each row alone, whatever else is
   * in the batch. Awaited before any of these rows is advanced; it gives other shards' work its turn. Absent: nothing is awaited. A throw fails the batch.
   */
  prepare?(chunk: Chunk, first: number): Promise<void>;
  /** Advances the stream state of the row's series and writes its input and context. Called in offset order. */
  advance(chunk: Chunk, row: number, buffers: RowBuffers): RowAction;
  /** Appends the row's points in line protocol, and takes the row into its series' output state. Called in offset order. */
  emit(shard: Shard, chunk: Chunk, row: number, output: RowOutput, lines: LineWriter): void;
  /**
   * Appends the points of a sequence that is over, in line protocol. Called once a sequence behind the `emit` of its rows, not for a quarantined one. A silent
   * sequence is told when its state is removed or its series is heard again, whichever comes first: a replay may tell it again, so its points are a pure
   * function of its states. Absent: nothing is told.
   */
  close?(shard: Shard, end: SequenceEnd, lines: LineWriter): void;
}
