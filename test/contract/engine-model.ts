import {
  type CellKind,
  createModel,
  type Engine,
  type GruReset,
  type InputActivation,
  initWeights,
  type Model,
} from '@tideline/nn';
import fc from 'fast-check';

/** Random numbers by a seed: a counter-example shrinks in its seed and shape, not in thousands of weights. */
export { mulberry32 as randomOf } from '@tideline/streams';

/** Values in [-2, 2). */
export function valuesOf(random: () => number, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => random() * 4 - 2);
}

export interface ModelShape {
  readonly cell: CellKind;
  readonly gruReset: GruReset;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly outputSize: number;
  readonly inputLayer?: number | undefined;
  readonly inputActivation?: InputActivation;
  readonly skipConnection?: boolean;
}

export const TICK_LIKE: ModelShape = {
  cell: 'lstm',
  gruReset: 'after',
  inputSize: 4,
  hiddenSize: 16,
  layers: 2,
  outputSize: 6,
};

/** Shapes around the widths at which vector kernels change their way: 1, 4, 8, 16, 32 and their neighbours. */
export const modelShapes: fc.Arbitrary<ModelShape> = fc.record({
  cell: fc.constantFrom('rnn', 'lstm', 'gru'),
  gruReset: fc.constantFrom('after', 'before'),
  inputSize: fc.integer({ min: 1, max: 9 }),
  hiddenSize: fc.integer({ min: 1, max: 34 }),
  layers: fc.integer({ min: 1, max: 3 }),
  outputSize: fc.integer({ min: 1, max: 5 }),
  ...{
    inputLayer: fc.constantFrom(undefined, undefined, 3, 17),
    inputActivation: fc.constantFrom('tanh', 'relu'),
    skipConnection: fc.boolean(),
  },
});

export function modelOf(shape: ModelShape, random: () => number): Model {
  const { gruReset, inputLayer, inputActivation = 'tanh', ...sizes } = shape;
  const spec = {
    name: 'contract',
    ...sizes,
    ...(shape.cell === 'gru' ? { gruReset } : {}),
    ...(inputLayer ? { inputLayer, inputActivation } : {}),
  };
  return createModel(spec, initWeights(spec, random));
}

export function allocate(engine: Engine, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, () => engine.allocate());
}

/** The states of slots, [slots.length][stateSize]. */
export async function statesOf(engine: Engine, slots: ArrayLike<number>): Promise<Float32Array> {
  const states = new Float32Array(slots.length * engine.stateSize);
  await engine.readStates(slots, states);
  return states;
}

/** 0..count-1. */
export function rowsUpTo(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, row) => row);
}

/** The bits, for comparison: -0 is not 0, and a NaN equals itself. */
export function bitsOf(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}
