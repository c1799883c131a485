import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReferenceEngine, type Engine, type Model } from '@tideline/nn';
import fc from 'fast-check';
import { allocate, bitsOf, modelOf, modelShapes, randomOf, rowsUpTo, statesOf, valuesOf } from './engine-model.ts';

/** float32 with another order of additions and other approximations of exp and tanh, over a few steps of states below 1. */
const TOLERANCE_TO_REFERENCE = 1e-5;
const seeds = fc.integer({ min: 0, max: 0xffffffff });

interface Invariance {
  readonly kind: string;
  readonly cases: number;
  readonly make: (model: Model) => Promise<Engine>;
}

/** Properties over random shapes and batches. */
export function engineInvariance({ kind, cases, make }: Invariance): void {
  test(`${kind}: a row has the same bits whatever else shares its batch`, async () => {
    const widths = fc.integer({ min: 2, max: 80 });
    await fc.assert(
      fc.asyncProperty(modelShapes, seeds, widths, async (shape, seed, series) => {
        const random = randomOf(seed);
        const engine = await make(modelOf(shape, random));
        const states = valuesOf(random, series * engine.stateSize);
        const inputs = valuesOf(random, series * shape.inputSize);
        const together = await stepInBatches(engine, { states, inputs, order: rowsUpTo(series), widths: [series] });
        const order = shuffled(rowsUpTo(series), random);
        const apart = await stepInBatches(engine, { states, inputs, order, widths: [1, 3, 1, 17] });
        engine.dispose();
        assert.equal(apart, together);
      }),
      { numRuns: cases },
    );
  });

  test(`${kind}: a sequence has the same bits as steps, as one run and cut into runs`, async () => {
    await fc.assert(
      fc.asyncProperty(modelShapes, seeds, fc.integer({ min: 1, max: 24 }), async (shape, seed, steps) => {
        const random = randomOf(seed);
        const engine = await make(modelOf(shape, random));
        const inputs = valuesOf(random, steps * shape.inputSize);
        const cut = Math.floor(random() * steps);
        const results = [
          await runPieces(engine, inputs, [rowsUpTo(steps)]),
          await runPieces(engine, inputs, [rowsUpTo(steps).subarray(0, cut), rowsUpTo(steps).subarray(cut)]),
          await stepRows(engine, inputs, rowsUpTo(steps)),
        ];
        engine.dispose();
        assert.deepEqual(results, [results[0], results[0], results[0]]);
      }),
      { numRuns: cases },
    );
  });

  test(`${kind}: saving and restoring in mid-sequence, into another engine, changes no bit`, async () => {
    await fc.assert(
      fc.asyncProperty(modelShapes, seeds, fc.integer({ min: 2, max: 16 }), async (shape, seed, steps) => {
        const random = randomOf(seed);
        const model = modelOf(shape, random);
        const [engine, other] = [await make(model), await make(model)];
        const inputs = valuesOf(random, steps * shape.inputSize);
        const half = Math.ceil(steps / 2);
        const first = rowsUpTo(steps).subarray(0, half);
        const rest = rowsUpTo(steps).subarray(half);
        const straight = await runPieces(engine, inputs, [first, rest]);
        const outputs = new Float32Array(steps * shape.outputSize);
        const [slot] = allocate(engine, 1);
        await engine.run({ slot, rows: first, inputs, outputs });
        const elsewhere = allocate(other, 3)[2];
        other.writeStates([elsewhere], await statesOf(engine, [slot]));
        await other.run({ slot: elsewhere, rows: rest, inputs, outputs });
        const restored = bitsOf(outputs) + bitsOf(await statesOf(other, [elsewhere]));
        engine.dispose();
        other.dispose();
        assert.equal(restored, straight);
      }),
      { numRuns: cases },
    );
  });

  test(`${kind}: it agrees with the reference within ${TOLERANCE_TO_REFERENCE}`, async () => {
    await fc.assert(
      fc.asyncProperty(modelShapes, seeds, fc.integer({ min: 1, max: 24 }), async (shape, seed, steps) => {
        const random = randomOf(seed);
        const model = modelOf(shape, random);
        const inputs = valuesOf(random, steps * shape.inputSize);
        const [found, expected] = await Promise.all(
          [await make(model), createReferenceEngine(model, { slotsMax: 1 })].map(async (engine) => {
            const outputs = new Float32Array(steps * shape.outputSize);
            await engine.run({ slot: engine.allocate(), rows: rowsUpTo(steps), inputs, outputs });
            engine.dispose();
            return outputs;
          }),
        );
        const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
        assert.ok(worst <= TOLERANCE_TO_REFERENCE, `it is ${worst} away`);
      }),
      { numRuns: cases },
    );
  });
}

/** One step of every series in `order`, cut into batches of `widths` in turn; outputs and states as bits, in the order of the series. */
async function stepInBatches(
  engine: Engine,
  given: {
    readonly states: Float32Array;
    readonly inputs: Float32Array;
    readonly order: Uint32Array;
    readonly widths: readonly number[];
  },
): Promise<string> {
  const { states, inputs, order, widths } = given;
  const slots = allocate(engine, order.length);
  engine.writeStates(slots, states);
  const outputs = new Float32Array(order.length * engine.outputSize);
  for (let from = 0, i = 0; from < order.length; from += widths[i % widths.length], i += 1) {
    const rows = order.slice(from, from + widths[i % widths.length]);
    await engine.step({ slots: rows.map((row) => slots[row]), rows, inputs, outputs });
  }
  const bits = bitsOf(outputs) + bitsOf(await statesOf(engine, slots));
  for (const slot of slots) engine.release(slot);
  return bits;
}

async function runPieces(engine: Engine, inputs: Float32Array, pieces: readonly Uint32Array[]): Promise<string> {
  const [slot] = allocate(engine, 1);
  const outputs = new Float32Array((inputs.length / engine.inputSize) * engine.outputSize);
  for (const rows of pieces) await engine.run({ slot, rows, inputs, outputs });
  return bitsOf(outputs) + bitsOf(await statesOf(engine, [slot]));
}

async function stepRows(engine: Engine, inputs: Float32Array, rows: Uint32Array): Promise<string> {
  const slots = allocate(engine, 1);
  const outputs = new Float32Array(rows.length * engine.outputSize);
  for (const row of rows) await engine.step({ slots, rows: Uint32Array.of(row), inputs, outputs });
  return bitsOf(outputs) + bitsOf(await statesOf(engine, slots));
}

function shuffled(values: Uint32Array, random: () => number): Uint32Array {
  const mixed = Uint32Array.from(values);
  for (let i = mixed.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}
