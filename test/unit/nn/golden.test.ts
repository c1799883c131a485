/** The engines compute what PyTorch computes, with the state carried from part to part. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine, type Engine, type EngineKind, type Model, ModelError } from '@tideline/nn';
import { GOLDEN_CASES, GOLDEN_FORMS, readGolden } from '../../golden/golden.ts';

/** Absolute, on values of size 1: a float32's last place is 6e-8, and a rounded state is carried over 12 steps. */
const REFERENCE_TOLERANCE = 1e-6;
/** float32 sums, and the kernel's tanh within 4e-7. */
const KERNEL_TOLERANCE = 2e-6;
/** float32 sums and the libraries' own tanh and logistic functions. */
const TFJS_TOLERANCE = 1e-5;

const KINDS: readonly { readonly kind: EngineKind; readonly tolerance: number }[] = [
  { kind: 'reference', tolerance: REFERENCE_TOLERANCE },
  { kind: 'simd', tolerance: KERNEL_TOLERANCE },
  { kind: 'simd-wasm', tolerance: KERNEL_TOLERANCE },
  { kind: 'tfjs-cpu', tolerance: TFJS_TOLERANCE },
  { kind: 'tfjs-wasm', tolerance: TFJS_TOLERANCE },
  { kind: 'tfjs-node', tolerance: TFJS_TOLERANCE },
];

function assertClose(actual: Float32Array, expected: readonly number[], options: { tolerance: number; what: string }) {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    const off = Math.abs(actual[i] - value);
    // Written so that NaN fails too.
    assert(off <= options.tolerance, `${options.what}[${i}] is ${actual[i]}, PyTorch says ${value}.`);
  });
}

async function statesOf(engine: Engine, slots: Uint32Array): Promise<Float32Array> {
  const states = new Float32Array(slots.length * engine.stateSize);
  await engine.readStates(slots, states);
  return states;
}

/** Null where the engine says that it has not learned the model's form; plain models have none. */
async function servingEngine(model: Model, options: Parameters<typeof createEngine>[1]): Promise<Engine | null> {
  try {
    return (await createEngine(model, options)).engine;
  } catch (error) {
    const { peephole, layerNorm } = model.spec;
    assert(error instanceof ModelError && options.kind !== 'reference' && (peephole || layerNorm), String(error));
    assert.match(
      error.message,
      /has (peephole|layerNorm), which engine '[\w-]+' cannot step: take the engine 'reference'/,
    );
    return null;
  }
}

for (const { kind, tolerance } of KINDS)
  for (const name of [...GOLDEN_CASES, ...GOLDEN_FORMS])
    test(`${kind} agrees with PyTorch on ${name} to ${tolerance}, or refuses it`, async () => {
      const { golden, model } = readGolden(name);
      const engine = await servingEngine(model, { kind, slotsMax: golden.sequences });
      if (engine === null) return;
      const inputs = Float32Array.from(golden.inputs);
      const outputs = new Float32Array(golden.outputs.length);
      const slots = Uint32Array.from({ length: golden.sequences }, () => engine.allocate());
      // The first part in batches of one step each, the second sequence by sequence.
      for (let t = 0; t < golden.carriedAfter; t += 1)
        await engine.step({ slots, rows: slots.map((_, sequence) => sequence * golden.steps + t), inputs, outputs });
      assertClose(await statesOf(engine, slots), golden.statesCarried, { tolerance, what: 'carried state' });
      const rest = golden.steps - golden.carriedAfter;
      for (const [sequence, slot] of slots.entries()) {
        const first = sequence * golden.steps + golden.carriedAfter;
        await engine.run({ slot, rows: Uint32Array.from({ length: rest }, (_, i) => first + i), inputs, outputs });
      }
      assertClose(outputs, golden.outputs, { tolerance, what: 'output' });
      assertClose(await statesOf(engine, slots), golden.statesAtEnd, { tolerance, what: 'state' });
      engine.dispose();
    });
