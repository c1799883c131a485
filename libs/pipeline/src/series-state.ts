/**
 * The bytes of one series' state: a header, the stream state (float64) and the hidden state (float32), little-endian.
 *
 * Header, 48 bytes: version u32, flags u32 (1 = quarantined), first 8 bytes of the model's digest, the series' times 4 x f64; version 3, of streams that
 * look for saturation, has the trace behind it, 4 x u32; version 4, of streams with an output state, has the trace (zeros where none is kept), the output
 * state's size u32 and meaning u32, and the output state (float64) behind the stream state. An output state of another size or meaning, or none, reads as
 * zeros: a change of what is scored does not lose the series. A hidden state means nothing to another model, so a state with another model's digest reads as
 * no state. Version 1 had no times: such a series has none yet.
 */
import { NO_TIMES, TIMES, TIMES_SIZE } from './event-times.ts';
import { TRACE_SIZE } from './saturation.ts';
import type { OutputState } from './stream.ts';

const VERSION = 2;
const TRACED_VERSION = 3;
const OUTPUT_VERSION = 4;
const LEAD_BYTES = 16;
const HEADER_BYTES = LEAD_BYTES + TIMES_SIZE * 8;
const TRACED_HEADER_BYTES = HEADER_BYTES + TRACE_SIZE * 4;
const OUTPUT_HEADER_BYTES = TRACED_HEADER_BYTES + 8;
/** By version. */
const HEADERS_BYTES: Readonly<Record<number, number>> = {
  1: LEAD_BYTES,
  2: HEADER_BYTES,
  3: TRACED_HEADER_BYTES,
  4: OUTPUT_HEADER_BYTES,
};
const FLAG_QUARANTINED = 1;

export interface StateLayout {
  /** float64 values of stream state. */
  readonly streamSize: number;
  /** float32 values of hidden state. */
  readonly hiddenSize: number;
  /** SHA-256 of the model, hex. */
  readonly modelDigest: string;
  /** Whether states hold the series' trace. */
  readonly isTraced: boolean;
  /** null: the stream has no output state. */
  readonly output: OutputState | null;
}

export interface SeriesState {
  readonly quarantined: boolean;
  /** [TIMES_SIZE], by `TIMES`. */
  readonly times: Float64Array;
  /** [TRACE_SIZE], by `TRACE`; zeros where the state holds none. */
  readonly trace: Uint32Array;
  /** [streamSize] */
  readonly stream: Float64Array;
  /** [output.size], empty where there is none. */
  readonly output: Float64Array;
  /** [hiddenSize] */
  readonly hidden: Float32Array;
}

export function encodeState(layout: StateLayout, state: SeriesState): Uint8Array {
  const { hidden, output: outputs, quarantined, stream, times, trace: traces } = state;
  const columns = { quarantined: Uint8Array.of(quarantined ? 1 : 0), times, traces, stream, outputs };
  return encodeStates(layout, columns, Uint32Array.of(0), hidden)[0];
}

/** Bytes of a state. */
export function stateBytesOf(layout: StateLayout): number {
  const values = layout.streamSize + outputSizeOf(layout);
  return HEADERS_BYTES[versionOf(layout)] + values * 8 + layout.hiddenSize * 4;
}

/** The parts of many series' states, each in a flat array by slot. */
export interface StateColumns {
  /** 1: quarantined, [slots]. */
  readonly quarantined: Uint8Array;
  /** [slots][TIMES_SIZE] */
  readonly times: Float64Array;
  /** [slots][TRACE_SIZE] */
  readonly traces: Uint32Array;
  /** [slots][streamSize] */
  readonly stream: Float64Array;
  /** [slots][output.size] */
  readonly outputs: Float64Array;
}

/**
 * The slots' states as bytes, in order; `hidden` is [slots.length][hiddenSize]. All lie in one piece of memory, written through three views of it: a batch can
 * touch tens of thousands of series, and views for each would cost more than what they copy. `all`: `packedBytesOf` bytes at least, whatever they hold.
 */
export function encodeStates(
  layout: StateLayout,
  columns: StateColumns,
  slots: Uint32Array,
  hidden: Float32Array,
  all: ArrayBuffer = new ArrayBuffer(slots.length * strideOf(layout) * 8),
): Uint8Array[] {
  const { hiddenSize, isTraced, output, streamSize } = layout;
  const size = stateBytesOf(layout);
  const stride = strideOf(layout);
  const words = new Uint32Array(all);
  const floats = new Float32Array(all);
  const doubles = new Float64Array(all);
  const version = versionOf(layout);
  const model = digestWords(layout.modelDigest);
  const outputSize = outputSizeOf(layout);
  const states: Uint8Array[] = [];
  for (let i = 0; i < slots.length; i += 1) {
    const slot = slots[i];
    const lead = i * stride;
    words[2 * lead] = version;
    words[2 * lead + 1] = columns.quarantined[slot] === 1 ? FLAG_QUARANTINED : 0;
    words[2 * lead + 2] = model[0];
    words[2 * lead + 3] = model[1];
    let at = copyDoubles(doubles, lead + LEAD_BYTES / 8, columns.times, slot * TIMES_SIZE, TIMES_SIZE);
    if (isTraced) for (let k = 0; k < TRACE_SIZE; k += 1) words[2 * at + k] = columns.traces[slot * TRACE_SIZE + k];
    else if (output !== null) words.fill(0, 2 * at, 2 * at + TRACE_SIZE);
    if (output !== null) {
      words[2 * lead + TRACED_HEADER_BYTES / 4] = output.size;
      words[2 * lead + TRACED_HEADER_BYTES / 4 + 1] = output.meaning;
    }
    at = lead + HEADERS_BYTES[version] / 8;
    at = copyDoubles(doubles, at, columns.stream, slot * streamSize, streamSize);
    at = 2 * copyDoubles(doubles, at, columns.outputs, slot * outputSize, outputSize);
    // One copy of memory: a loop over 256 values takes four times as long.
    floats.set(hidden.subarray(i * hiddenSize, (i + 1) * hiddenSize), at);
    states.push(new Uint8Array(all, lead * 8, size));
  }
  return states;
}

/** Bytes that `count` states take one behind the other. */
export function packedBytesOf(layout: StateLayout, count: number): number {
  return count * strideOf(layout) * 8;
}

/** Float64 values from one state to the next: a whole number, for the float64 values within. */
function strideOf(layout: StateLayout): number {
  return Math.ceil(stateBytesOf(layout) / 8);
}

/** Where the values end in `to`. */
function copyDoubles(to: Float64Array, at: number, from: Float64Array, first: number, count: number): number {
  for (let k = 0; k < count; k += 1) to[at + k] = from[first + k];
  return at + count;
}

/** The digest's first 8 bytes as they lie in memory. */
function digestWords(digest: string): Uint32Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, Number.parseInt(digest.slice(0, 8), 16));
  bytes.setUint32(4, Number.parseInt(digest.slice(8, 16), 16));
  return new Uint32Array(bytes.buffer);
}

function versionOf({ isTraced, output }: StateLayout): number {
  if (output !== null) return OUTPUT_VERSION;
  return isTraced ? TRACED_VERSION : VERSION;
}

function outputSizeOf({ output }: StateLayout): number {
  return output === null ? 0 : output.size;
}

/** The state in `source`, or null where it belongs to another model or layout. */
export function decodeState(layout: StateLayout, source: Uint8Array): SeriesState | null {
  const header = readStateHeader(source);
  if (header === null || header.model !== layout.modelDigest.slice(0, 16)) return null;
  const at = HEADERS_BYTES[header.version];
  const bytes = new Uint8Array(source); // a copy: float64 views need alignment
  const view = new DataView(bytes.buffer);
  const hasOutput = header.version === OUTPUT_VERSION;
  const size = hasOutput ? view.getUint32(TRACED_HEADER_BYTES, true) : 0;
  const meaning = hasOutput ? view.getUint32(TRACED_HEADER_BYTES + 4, true) : 0;
  const behind = at + layout.streamSize * 8;
  if (source.length !== behind + size * 8 + layout.hiddenSize * 4) return null;
  const isKnown = hasOutput && size === outputSizeOf(layout) && meaning === layout.output?.meaning;
  return {
    quarantined: header.quarantined,
    times: header.times,
    trace:
      header.version === TRACED_VERSION || hasOutput
        ? new Uint32Array(bytes.buffer, HEADER_BYTES, TRACE_SIZE)
        : new Uint32Array(TRACE_SIZE),
    stream: new Float64Array(bytes.buffer, at, layout.streamSize),
    output: isKnown ? new Float64Array(bytes.buffer, behind, size) : new Float64Array(outputSizeOf(layout)),
    hidden: new Float32Array(bytes.buffer, behind + size * 8, layout.hiddenSize),
  };
}

/** What a state says of itself to anybody, whatever its model. */
export interface StateHeader {
  readonly version: number;
  readonly quarantined: boolean;
  /** First 16 hex digits of the model's digest. */
  readonly model: string;
  /** [TIMES_SIZE], by `TIMES`. */
  readonly times: Float64Array;
}

/** The header of a state's bytes; null where they are no state. */
export function readStateHeader(source: Uint8Array): StateHeader | null {
  if (source.length < LEAD_BYTES) return null;
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const version = view.getUint32(0, true);
  if (!(version in HEADERS_BYTES) || source.length < HEADERS_BYTES[version]) return null;
  const times = Float64Array.from(NO_TIMES);
  if (version !== 1) for (let i = 0; i < TIMES_SIZE; i += 1) times[i] = view.getFloat64(LEAD_BYTES + i * 8, true);
  return {
    version,
    quarantined: (view.getUint32(4, true) & FLAG_QUARANTINED) !== 0,
    model: Buffer.from(source.subarray(8, LEAD_BYTES)).toString('hex'),
    times,
  };
}

/** The newest event time that a series has taken, epoch ms; null where it has had no record since times are kept. */
export function lastEventMs(header: StateHeader): number | null {
  const ms = header.times[TIMES.heardMs];
  return Number.isFinite(ms) ? ms : null;
}
