/**
 * A recurrent state is saturated where its units stand at the bounds of their activations, and the network answers the same to whatever it is given. That
 * is what is looked for: so many steps in a row whose inputs differ from those of the step before and whose outputs do not, in any bit. A healthy float32
 * network moves at least one bit of one output at almost every such step; how large the states are says nothing that holds for every model.
 *
 * The trace of a series is a function of its steps alone, and is carried in its state: no batch, replay or worker can find it elsewhere.
 */

/** Steps in a row after which a series is quarantined. */
export const SATURATED_STEPS = 64;

/** Words of a series' trace: whether it has made a step, fingerprints of the last step's inputs and outputs, steps that have changed nothing. */
export const TRACE = { begun: 0, inputs: 1, outputs: 2, unchanged: 3 } as const;
export const TRACE_SIZE = 4;

/** Words [at, at + size) of a table. */
export interface RowWords {
  readonly words: Uint32Array;
  readonly at: number;
  readonly size: number;
}

/** Takes a step into the trace at `traceAt`. Returns whether the network is saturated. */
export function isSaturated(traces: Uint32Array, traceAt: number, inputs: RowWords, outputs: RowWords): boolean {
  const seen = fingerprint(inputs);
  const said = fingerprint(outputs);
  const isSameAnswer = traces[traceAt + TRACE.begun] === 1 && traces[traceAt + TRACE.outputs] === said;
  if (!isSameAnswer) traces[traceAt + TRACE.unchanged] = 0;
  else if (traces[traceAt + TRACE.inputs] !== seen) traces[traceAt + TRACE.unchanged] += 1;
  traces[traceAt + TRACE.begun] = 1;
  traces[traceAt + TRACE.inputs] = seen;
  traces[traceAt + TRACE.outputs] = said;
  return traces[traceAt + TRACE.unchanged] >= SATURATED_STEPS;
}

/** FNV-1a over words, 32 bits. */
function fingerprint({ words, at, size }: RowWords): number {
  let hash = 0x811c9dc5;
  for (let i = at; i < at + size; i += 1) hash = Math.imul(hash ^ words[i], 0x01000193);
  // The product keeps what the low bits say low: a float's short fractions live high.
  return (hash ^ (hash >>> 15)) >>> 0;
}
