import type { HeadSpec, ModelSpec } from '@tideline/nn';
import fc from 'fast-check';

const sizes = {
  inputSize: fc.integer({ min: 1, max: 5 }),
  hiddenSize: fc.integer({ min: 1, max: 9 }),
  layers: fc.integer({ min: 1, max: 3 }),
};

/** A cell in any of its forms. */
export const cells: fc.Arbitrary<Pick<ModelSpec, 'cell' | 'gruReset' | 'peephole' | 'layerNorm'>> = fc.constantFrom(
  ...([
    { cell: 'rnn' },
    { cell: 'rnn', layerNorm: true },
    { cell: 'lstm' },
    { cell: 'lstm', peephole: true },
    { cell: 'lstm', layerNorm: true },
    { cell: 'gru' },
    { cell: 'gru', gruReset: 'before' },
    { cell: 'gru', layerNorm: true },
    { cell: 'gru', gruReset: 'before', layerNorm: true },
  ] as const),
);

const scopes = fc.constantFrom('per-step', 'last-step', 'sequence');

/** A head and the outputs that go with it. */
const heads: fc.Arbitrary<{ readonly head: HeadSpec; readonly outputSize: number }> = fc.oneof(
  fc.record({
    head: fc.record({ kind: fc.constant('linear'), scope: scopes }),
    outputSize: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    head: fc.record({ kind: fc.constant('classes'), scope: scopes }),
    outputSize: fc.integer({ min: 2, max: 4 }),
  }),
  fc
    .record({
      targets: fc.integer({ min: 1, max: 2 }),
      levels: fc.constantFrom([0.5], [0.25, 0.75], [0.1, 0.5, 0.9]),
      scope: scopes,
    })
    .map(({ targets, levels, scope }) => ({
      head: { kind: 'multi-quantile', levels, scope } as const,
      outputSize: targets * levels.length,
    })),
);

/** What stands around a stack: a layer before it, a way past it. */
const around: fc.Arbitrary<Pick<ModelSpec, 'embedding' | 'inputLayer' | 'inputActivation' | 'skipConnection'>> =
  fc.constantFrom(
    ...([
      {},
      { inputLayer: 3 },
      { inputLayer: 4, inputActivation: 'relu' },
      { skipConnection: true },
      { inputLayer: 5, skipConnection: true },
      { embedding: { buckets: 7, size: 1 } },
    ] as const),
  );

/** Networks in one direction or both, with any cell and head. */
export const sequenceSpecs: fc.Arbitrary<ModelSpec> = fc
  .record({ ...sizes, cell: cells, head: heads, around, bidirectional: fc.boolean() })
  .map(({ cell, head: { head, outputSize }, around: sides, ...spec }) => ({
    ...{ name: 'family', ...spec, ...cell, ...(spec.bidirectional ? {} : sides), outputSize },
    // A copy: fast-check's own records have no prototype.
    head: { ...head },
  }));

export const encoderDecoderSpecs: fc.Arbitrary<ModelSpec> = fc
  .record({
    ...sizes,
    cell: cells,
    head: heads,
    decoder: fc.record({ knownSize: fc.integer({ min: 0, max: 3 }), summaryEachStep: fc.boolean() }),
  })
  .map(({ cell, head: { head, outputSize }, decoder, ...spec }) => ({
    ...{ name: 'family', ...spec, ...cell, outputSize, decoder: { ...decoder } },
    head: { ...head, scope: 'per-step' },
  }));

export const familySpecs: fc.Arbitrary<ModelSpec> = fc.oneof(sequenceSpecs, encoderDecoderSpecs);
