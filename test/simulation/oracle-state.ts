/** The layout of a state as the documentation gives it, written by hand: the oracles use nothing of the pipeline here. */

export interface OracleState {
  readonly isQuarantined: boolean;
  readonly modelDigest: string;
  readonly times: OracleTimes;
  readonly stream: ArrayLike<number>;
  readonly hidden: ArrayLike<number>;
}

/** Event times of a series in whole ms: the newest stepped, the newest of all its records, the shard's watermark at the last one. */
export interface OracleTimes {
  stepped: number;
  heard: number;
  taken: number;
}

const NONE = Number.NEGATIVE_INFINITY;

export const newTimes = (): OracleTimes => ({ stepped: NONE, heard: NONE, taken: NONE });

/** Version, flags, 8 bytes of the model's digest, times 4 x f64 (stepped ms and ns, heard ms, watermark), stream state f64, hidden state f32. */
export function stateBytes({ isQuarantined, modelDigest, times, stream, hidden }: OracleState): Uint8Array {
  const view = new DataView(new ArrayBuffer(48 + 8 * stream.length + 4 * hidden.length));
  view.setUint32(0, 2, true);
  view.setUint32(4, isQuarantined ? 1 : 0, true);
  for (let i = 0; i < 8; i += 1) view.setUint8(8 + i, Number.parseInt(modelDigest.slice(2 * i, 2 * i + 2), 16));
  [times.stepped, 0, times.heard, times.taken].forEach((value, i) => {
    view.setFloat64(16 + 8 * i, value, true);
  });
  for (let i = 0; i < stream.length; i += 1) view.setFloat64(48 + 8 * i, stream[i], true);
  for (let i = 0; i < hidden.length; i += 1) view.setFloat32(48 + 8 * stream.length + 4 * i, hidden[i], true);
  return new Uint8Array(view.buffer);
}
