/** The layout of a state as the documentation gives it, written by hand: the oracles use nothing of the pipeline here. */

export interface OracleState {
  readonly isQuarantined: boolean;
  readonly modelDigest: string;
  readonly times: OracleTimes;
  /** Where the stream looks for saturation. */
  readonly trace?: OracleTrace;
  readonly stream: ArrayLike<number>;
  /** Where the stream has an output state. */
  readonly output?: { readonly meaning: number; readonly values: ArrayLike<number> };
  readonly hidden: ArrayLike<number>;
}

/** Event times of a series in whole ms: the newest stepped, the newest of all its records, the shard's watermark at the last one. */
export interface OracleTimes {
  stepped: number;
  heard: number;
  taken: number;
}

/** The last step of a series: its inputs and outputs as fingerprints, and how many steps up to it changed inputs but no output. */
export interface OracleTrace {
  readonly inputs: number;
  readonly outputs: number;
  readonly unchanged: number;
}

const NONE = Number.NEGATIVE_INFINITY;

export const newTimes = (): OracleTimes => ({ stepped: NONE, heard: NONE, taken: NONE });

/**
 * Version, flags, 8 bytes of the model's digest, times 4 x f64 (stepped ms, ns, heard ms, watermark), [trace 4 x u32,] [size and meaning of the output state
 * u32,] stream state f64, [output state f64,] hidden state f32.
 */
export function stateBytes(state: OracleState): Uint8Array {
  const { isQuarantined, modelDigest, times, trace, output, hidden } = state;
  const values = [...Array.from(state.stream), ...Array.from(output?.values ?? [])];
  const at = output !== undefined ? 72 : trace === undefined ? 48 : 64;
  const view = new DataView(new ArrayBuffer(at + 8 * values.length + 4 * hidden.length));
  view.setUint32(0, output !== undefined ? 4 : trace === undefined ? 2 : 3, true);
  if (output !== undefined) {
    view.setUint32(64, output.values.length, true);
    view.setUint32(68, output.meaning, true);
  }
  view.setUint32(4, isQuarantined ? 1 : 0, true);
  for (let i = 0; i < 8; i += 1) view.setUint8(8 + i, Number.parseInt(modelDigest.slice(2 * i, 2 * i + 2), 16));
  [times.stepped, 0, times.heard, times.taken].forEach((value, i) => {
    view.setFloat64(16 + 8 * i, value, true);
  });
  if (trace !== undefined)
    [trace.unchanged < 0 ? 0 : 1, trace.inputs, trace.outputs, Math.max(0, trace.unchanged)].forEach((word, i) => {
      view.setUint32(48 + 4 * i, word, true);
    });
  for (let i = 0; i < values.length; i += 1) view.setFloat64(at + 8 * i, values[i], true);
  for (let i = 0; i < hidden.length; i += 1) view.setFloat32(at + 8 * values.length + 4 * i, hidden[i], true);
  return new Uint8Array(view.buffer);
}

/** Before the first step. */
export const NO_TRACE: OracleTrace = { inputs: 0, outputs: 0, unchanged: -1 };

/** The trace after one more step. */
export function traceAfter(before: OracleTrace, inputs: Float32Array, outputs: Float32Array): OracleTrace {
  const [seen, said] = [fingerprint(inputs), fingerprint(outputs)];
  const isSame = before.unchanged >= 0 && before.outputs === said;
  const unchanged = isSame ? before.unchanged + (before.inputs === seen ? 0 : 1) : 0;
  return { inputs: seen, outputs: said, unchanged };
}

/** FNV-1a over the 32-bit words of the values, folded. */
function fingerprint(values: Float32Array): number {
  let hash = 0x811c9dc5n;
  for (const word of new Uint32Array(values.buffer)) hash = ((hash ^ BigInt(word)) * 0x01000193n) & 0xffffffffn;
  return Number(hash ^ (hash >> 15n));
}
