/**
 * The bytes of one series' state: a header, the stream state (float64) and the hidden state (float32), little-endian.
 *
 * Header, 48 bytes: version u32, flags u32 (1 = quarantined), first 8 bytes of the model's digest, the series' times 4 x f64; version 3, of streams that
 * look for saturation, has the trace behind it, 4 x u32. A hidden state means nothing to another model, so a state with another model's digest reads as
 * no state. Version 1 had no times: such a series has none yet.
 */
import { NO_TIMES, TIMES, TIMES_SIZE } from './event-times.ts';
import { TRACE_SIZE } from './saturation.ts';

const VERSION = 2;
const TRACED_VERSION = 3;
const LEAD_BYTES = 16;
const HEADER_BYTES = LEAD_BYTES + TIMES_SIZE * 8;
const TRACED_HEADER_BYTES = HEADER_BYTES + TRACE_SIZE * 4;
/** By version. */
const HEADERS_BYTES: Readonly<Record<number, number>> = { 1: LEAD_BYTES, 2: HEADER_BYTES, 3: TRACED_HEADER_BYTES };
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
}

export interface SeriesState {
  readonly quarantined: boolean;
  /** [TIMES_SIZE], by `TIMES`. */
  readonly times: Float64Array;
  /** [TRACE_SIZE], by `TRACE`; zeros where the state holds none. */
  readonly trace: Uint32Array;
  /** [streamSize] */
  readonly stream: Float64Array;
  /** [hiddenSize] */
  readonly hidden: Float32Array;
}

export function encodeState(layout: StateLayout, state: SeriesState): Uint8Array {
  const bytes = new Uint8Array(stateBytesOf(layout));
  writeState(layout, state, bytes);
  return bytes;
}

/** Bytes of a state. */
export function stateBytesOf({ isTraced, streamSize, hiddenSize }: StateLayout): number {
  return (isTraced ? TRACED_HEADER_BYTES : HEADER_BYTES) + streamSize * 8 + hiddenSize * 4;
}

/** Writes a state into `bytes`, which begin at a multiple of 8 of their buffer. */
export function writeState(layout: StateLayout, state: SeriesState, bytes: Uint8Array): void {
  const at = bytes.byteOffset + (layout.isTraced ? TRACED_HEADER_BYTES : HEADER_BYTES);
  const begin = bytes.byteOffset;
  const header = new DataView(bytes.buffer, begin);
  header.setUint32(0, layout.isTraced ? TRACED_VERSION : VERSION, true);
  header.setUint32(4, state.quarantined ? FLAG_QUARANTINED : 0, true);
  header.setUint32(8, Number.parseInt(layout.modelDigest.slice(0, 8), 16));
  header.setUint32(12, Number.parseInt(layout.modelDigest.slice(8, 16), 16));
  new Float64Array(bytes.buffer, begin + LEAD_BYTES, TIMES_SIZE).set(state.times);
  if (layout.isTraced) new Uint32Array(bytes.buffer, begin + HEADER_BYTES, TRACE_SIZE).set(state.trace);
  new Float64Array(bytes.buffer, at, layout.streamSize).set(state.stream);
  new Float32Array(bytes.buffer, at + layout.streamSize * 8, layout.hiddenSize).set(state.hidden);
}

/** The state in `source`, or null where it belongs to another model or layout. */
export function decodeState(layout: StateLayout, source: Uint8Array): SeriesState | null {
  const header = readStateHeader(source);
  if (header === null || header.model !== layout.modelDigest.slice(0, 16)) return null;
  const at = HEADERS_BYTES[header.version];
  if (source.length !== at + layout.streamSize * 8 + layout.hiddenSize * 4) return null;
  const bytes = new Uint8Array(source); // a copy: float64 views need alignment
  return {
    quarantined: header.quarantined,
    times: header.times,
    trace:
      header.version === TRACED_VERSION
        ? new Uint32Array(bytes.buffer, HEADER_BYTES, TRACE_SIZE)
        : new Uint32Array(TRACE_SIZE),
    stream: new Float64Array(bytes.buffer, at, layout.streamSize),
    hidden: new Float32Array(bytes.buffer, at + layout.streamSize * 8, layout.hiddenSize),
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
