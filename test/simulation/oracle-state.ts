/** The layout of a state as the documentation gives it, written by hand: the oracles use nothing of the pipeline here. */

export interface OracleState {
  readonly isQuarantined: boolean;
  readonly modelDigest: string;
  readonly stream: ArrayLike<number>;
  readonly hidden: ArrayLike<number>;
}

/** Version, flags, 8 bytes of the model's digest, stream state f64, hidden state f32; little-endian. */
export function stateBytes({ isQuarantined, modelDigest, stream, hidden }: OracleState): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 + 8 * stream.length + 4 * hidden.length));
  view.setUint32(0, 1, true);
  view.setUint32(4, isQuarantined ? 1 : 0, true);
  for (let i = 0; i < 8; i += 1) view.setUint8(8 + i, Number.parseInt(modelDigest.slice(2 * i, 2 * i + 2), 16));
  for (let i = 0; i < stream.length; i += 1) view.setFloat64(16 + 8 * i, stream[i], true);
  for (let i = 0; i < hidden.length; i += 1) view.setFloat32(16 + 8 * stream.length + 4 * i, hidden[i], true);
  return new Uint8Array(view.buffer);
}
