/**
 * The bytes of one series' state: a header, the stream state (float64) and the hidden state (float32), little-endian.
 *
 * Header, 16 bytes: version u32, flags u32 (1 = quarantined), first 8 bytes of the model's digest. A hidden state means nothing to another
 * model, so a state with another model's digest reads as no state.
 */

const VERSION = 1;
const HEADER_BYTES = 16;
const FLAG_QUARANTINED = 1;

export interface StateLayout {
  /** float64 values of stream state. */
  readonly streamSize: number;
  /** float32 values of hidden state. */
  readonly hiddenSize: number;
  /** SHA-256 of the model, hex. */
  readonly modelDigest: string;
}

export interface SeriesState {
  readonly quarantined: boolean;
  /** [streamSize] */
  readonly stream: Float64Array;
  /** [hiddenSize] */
  readonly hidden: Float32Array;
}

export function encodeState(layout: StateLayout, state: SeriesState): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + layout.streamSize * 8 + layout.hiddenSize * 4);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, VERSION, true);
  header.setUint32(4, state.quarantined ? FLAG_QUARANTINED : 0, true);
  bytes.set(Buffer.from(layout.modelDigest.slice(0, 16), 'hex'), 8);
  new Float64Array(bytes.buffer, HEADER_BYTES, layout.streamSize).set(state.stream);
  new Float32Array(bytes.buffer, HEADER_BYTES + layout.streamSize * 8, layout.hiddenSize).set(state.hidden);
  return bytes;
}

/** The state in `source`, or null where it belongs to another model or layout. */
export function decodeState(layout: StateLayout, source: Uint8Array): SeriesState | null {
  if (source.length !== HEADER_BYTES + layout.streamSize * 8 + layout.hiddenSize * 4) return null;
  const bytes = new Uint8Array(source); // a copy: float64 views need alignment
  const header = new DataView(bytes.buffer);
  if (header.getUint32(0, true) !== VERSION) return null;
  if (Buffer.from(bytes.subarray(8, 16)).toString('hex') !== layout.modelDigest.slice(0, 16)) return null;
  return {
    quarantined: (header.getUint32(4, true) & FLAG_QUARANTINED) !== 0,
    stream: new Float64Array(bytes.buffer, HEADER_BYTES, layout.streamSize),
    hidden: new Float32Array(bytes.buffer, HEADER_BYTES + layout.streamSize * 8, layout.hiddenSize),
  };
}

/** What a state says of itself to anybody, whatever its layout. */
export interface StateHeader {
  readonly version: number;
  readonly quarantined: boolean;
  /** First 16 hex digits of the model's digest. */
  readonly model: string;
}

/** The header of a state's bytes; null where they are too short to have one. */
export function readStateHeader(source: Uint8Array): StateHeader | null {
  if (source.length < HEADER_BYTES) return null;
  const header = new DataView(source.buffer, source.byteOffset, HEADER_BYTES);
  return {
    version: header.getUint32(0, true),
    quarantined: (header.getUint32(4, true) & FLAG_QUARANTINED) !== 0,
    model: Buffer.from(source.subarray(8, 16)).toString('hex'),
  };
}
