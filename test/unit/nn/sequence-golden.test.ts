/** Models over complete sequences compute what PyTorch computes, on the reference and on the SIMD engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createEncoderDecoder,
  createReferenceEngine,
  createSequenceModel,
  createSimdEngine,
  type DecodeOptions,
  type MakeEngine,
  type SequenceOutputs,
} from '@tideline/nn';
import {
  GOLDEN_ENCODER_DECODERS,
  GOLDEN_SEQUENCES,
  type GoldenSequence,
  type GoldenTranslation,
  readGoldenSequences,
} from '../../golden/golden.ts';

/** Absolute, on values of size 1: rounded states are carried over 9 steps and fed back over 6. */
const ENGINES: readonly { readonly name: string; readonly engine: MakeEngine; readonly tolerance: number }[] = [
  { name: 'reference', engine: createReferenceEngine, tolerance: 1e-6 },
  { name: 'simd', engine: createSimdEngine, tolerance: 1e-5 },
];

function assertClose(
  actual: SequenceOutputs,
  expected: Pick<GoldenSequence, 'outputs' | 'state'>,
  { tolerance, what }: { readonly tolerance: number; readonly what: string },
): void {
  for (const part of ['outputs', 'state'] as const) {
    assert.equal(actual[part].length, expected[part].length, `${what} ${part}`);
    expected[part].forEach((value, i) => {
      const off = Math.abs(actual[part][i] - value);
      // Written so that NaN fails too.
      assert(off <= tolerance, `${what} ${part}[${i}] is ${actual[part][i]}, PyTorch says ${value}.`);
    });
  }
}

for (const { name: engineName, engine, tolerance } of ENGINES) {
  for (const name of GOLDEN_SEQUENCES)
    test(`${engineName} agrees with PyTorch on the sequences of ${name} to ${tolerance}`, async () => {
      const { sequences, model } = readGoldenSequences<GoldenSequence>(name);
      const network = createSequenceModel(model, { engine });
      for (const { steps, inputs, ...expected } of sequences) {
        const found = await network.run(Float32Array.from(inputs));
        assert.equal(found.steps, model.spec.head?.scope ? 1 : steps);
        assertClose(found, expected, { tolerance, what: `${steps} steps` });
      }
      network.dispose();
    });

  for (const name of GOLDEN_ENCODER_DECODERS)
    test(`${engineName} agrees with PyTorch on ${name} to ${tolerance}, free and taught`, async () => {
      const { sequences, model } = readGoldenSequences<GoldenTranslation>(name);
      const network = createEncoderDecoder(model, { engine });
      for (const { steps, inputs, decoded, first, known, targets, free, forced } of sequences) {
        const options: DecodeOptions = {
          ...{ steps: decoded, first: Float32Array.from(first) },
          ...(known.length > 0 ? { known: Float32Array.from(known) } : {}),
        };
        const source = Float32Array.from(inputs);
        const taught = { ...options, targets: Float32Array.from(targets) };
        assertClose(await network.run(source, options), free, { tolerance, what: `${steps} steps, free` });
        assertClose(await network.run(source, taught), forced, { tolerance, what: `${steps} steps, taught` });
      }
      network.dispose();
    });
}
