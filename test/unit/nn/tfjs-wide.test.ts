/** TensorFlow.js's engines cut a batch into tiles of several heights; no height changes a bit, whatever the width. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine, type Engine } from '@tideline/nn';
import {
  allocate,
  bitsOf,
  type ModelShape,
  modelOf,
  randomOf,
  rowsUpTo,
  statesOf,
  valuesOf,
} from '../../contract/engine-model.ts';

/** All of the highest tile's rows and some, so that every height is used. */
const SERIES = 700;
const WIDTHS = [1, 15, 17, 33, 90, 180, 364];
const SHAPES: readonly ModelShape[] = [
  { cell: 'lstm', gruReset: 'after', inputSize: 5, hiddenSize: 24, layers: 2, outputSize: 3 },
  { cell: 'gru', gruReset: 'before', inputSize: 3, hiddenSize: 17, layers: 1, outputSize: 2 },
];

for (const kind of ['tfjs-node', 'tfjs-node-fused', 'tfjs-wasm'] as const)
  for (const shape of SHAPES)
    test(`${kind}: ${SERIES} ${shape.cell} rows have the same bits as one batch and as batches of ${WIDTHS.join(', ')}`, async () => {
      const random = randomOf(41);
      const model = modelOf(shape, random);
      const inputs = valuesOf(random, SERIES * shape.inputSize);
      const { engine } = await createEngine(model, { kind, slotsMax: 2 * SERIES });
      const states = valuesOf(random, SERIES * engine.stateSize);
      const together = await steps(engine, { states, inputs, widths: [SERIES] });
      const apart = await steps(engine, { states, inputs, widths: WIDTHS });
      engine.dispose();
      assert.equal(apart, together);
    });

/** Two steps of every series, the second from the state that the first left on the device. */
async function steps(
  engine: Engine,
  given: { readonly states: Float32Array; readonly inputs: Float32Array; readonly widths: readonly number[] },
): Promise<string> {
  const slots = allocate(engine, SERIES);
  engine.writeStates(slots, given.states);
  const outputs = new Float32Array(SERIES * engine.outputSize);
  for (let pass = 0; pass < 2; pass += 1)
    for (let from = 0, i = 0; from < SERIES; from += given.widths[i % given.widths.length], i += 1) {
      const rows = rowsUpTo(SERIES).subarray(from, from + given.widths[i % given.widths.length]);
      await engine.step({ slots: slots.subarray(from, from + rows.length), rows, inputs: given.inputs, outputs });
    }
  return bitsOf(outputs) + bitsOf(await statesOf(engine, slots));
}
